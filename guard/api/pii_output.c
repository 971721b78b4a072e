// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What may leave the process: text with its hits replaced, and keyed hashes of values. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "guard/api/pii_internal.h"

#define NOT_SCANNED "[not-scanned]"

void pii_redact(const struct pii_rules *rules, struct bw_slice bytes, uint64_t base, const struct pii_result *res, struct bw_buf *out)
{
	size_t at = 0, end = bytes.len;

	if (res->complete_to < base)
		end = 0;
	else if (res->complete_to - base < end)
		end = (size_t)(res->complete_to - base);
	for (uint32_t i = 0; i < res->n_hits; i++) {
		const struct pii_hit *h = &res->hits[i];
		uint64_t stop = h->offset + h->length, start = h->offset < base ? base : h->offset;

		/* a hit that began before these bytes, or goes on behind them, is replaced as far as they reach */
		if (stop <= base + at || start >= base + end)
			continue;
		if (start - base > at)
			bw_buf_append(out, bytes.data + at, (size_t)(start - base) - at);
		bw_buf_printf(out, "[%s]", rules->classes[h->class_id].name);
		at = stop - base > end ? end : (size_t)(stop - base);
	}
	bw_buf_append(out, bytes.data + at, end - at);
	if (end < bytes.len)
		bw_buf_str(out, NOT_SCANNED);
}

int pii_redact_text(struct pii_scanner *s, struct bw_slice bytes, const struct pii_context *ctx, struct bw_buf *out)
{
	struct pii_result res;
	int err = pii_scan(s, bytes, ctx, &res);

	if (err < 0)
		bw_buf_str(out, NOT_SCANNED);
	else
		pii_redact(s->rules, bytes, 0, &res, out);
	return err;
}

/* HMAC-SHA-256(key, class NUL value), its first 8 bytes, big endian. */
int pii_hash(const struct pii_key *key, const struct pii_rules *rules, const struct pii_hit *hit, uint64_t *ret)
{
	uint8_t text[PII_MAX_NAME + PII_MAX_VALUE], mac[EVP_MAX_MD_SIZE];
	const struct pii_class_rule *c = &rules->classes[hit->class_id];
	unsigned int mac_len = 0;
	size_t n = strlen(c->name) + 1;

	memcpy(text, c->name, n);
	for (size_t i = 0; i < hit->value.len && n < sizeof(text); i++) {
		uint8_t b = hit->value.data[i];

		if (c->fold && !pii_alnum(b) && b < 0x80 && b != '@')
			continue;
		text[n++] = c->fold ? pii_lower(b) : b;
	}
	if (!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), text, n, mac, &mac_len) || mac_len < 8) {
		OPENSSL_cleanse(text, n);
		return -EIO;
	}
	OPENSSL_cleanse(text, n);
	*ret = bw_get_u64(mac, true);
	return 0;
}
