// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* "protect" of a policy: what becomes of a program that was analysed because nobody approved it. */
#include <stdio.h>
#include <string.h>

#include "common/policy_protect.h"

static const char *const severities[BW_POLICY_SEVERITIES] = { "info", "low", "medium", "high", "critical" };
static const char *const kinds[BW_POLICY_KINDS] = { "capability", "attack", "defect" };

#define MEMBER(up_, keys, members, i) (&(struct policy_node){ .up = (up_), .key = (keys)[i], .value = (members)[i] })

void policy_protect_defaults(struct bw_policy_protect *p)
{
	*p = (struct bw_policy_protect){
		.refusals[0] = { .severity = BW_POLICY_SEVERITY_HIGH, .kinds = 1u << BW_POLICY_KIND_ATTACK },
		.n_refusals = 1,
		.wait_ms = 20,
		.caller_ms = 2000,
		.on_timeout = BW_VERDICT_DENY,
		.on_incomplete = BW_VERDICT_DENY,
	};
}

static int find_word(const char *const *words, unsigned int n, const char *word)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

static int get_word(struct policy_parser *ps, const struct policy_node *n, const char *const *words, unsigned int n_words,
		    unsigned int *ret)
{
	int i = cJSON_IsString(n->value) ? find_word(words, n_words, n->value->valuestring) : -1;
	char all[128] = "";

	for (unsigned int k = 0; k < n_words && i < 0; k++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", k ? ", " : "", words[k]);
	if (i < 0)
		return policy_fail(ps, n, "must be one of %s", all);
	*ret = (unsigned int)i;
	return 0;
}

static int get_verdict(struct policy_parser *ps, const struct policy_node *n, uint8_t *ret)
{
	static const char *const verdicts[] = { [BW_VERDICT_ALLOW] = "allow", [BW_VERDICT_DENY] = "deny" };
	unsigned int v;
	int r = get_word(ps, n, verdicts, 2, &v);

	if (!r)
		*ret = (uint8_t)v;
	return r;
}

static int get_words(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_words *ret)
{
	struct policy_node at = { .up = n };
	const char *word;
	int r;

	r = policy_get_list(ps, n, 1, BW_MAX_POLICY_WORDS, &ret->n);
	if (r < 0)
		return r;
	cJSON_ArrayForEach(at.value, n->value) {
		r = policy_get_id(ps, &at, &word);
		if (r < 0)
			return r;
		if (strlen(word) >= BW_MAX_POLICY_WORD)
			return policy_fail(ps, &at, "is longer than %u characters", BW_MAX_POLICY_WORD - 1);
		memcpy(ret->words[at.index++], word, strlen(word) + 1);
	}
	return 0;
}

static int parse_refusal(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_refusal *ret)
{
	enum { SEVERITY, KIND, RULES, SOURCES, CHANNELS, N_KEYS };
	static const char *const keys[] = { "severity", "kind", "rules", "sources", "channels" };
	const cJSON *m[N_KEYS];
	unsigned int word;
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of a refusal");
	r = policy_get_members(ps, n, keys, N_KEYS, m);
	if (r < 0)
		return r;
	if (!m[SEVERITY] && !m[KIND] && !m[RULES] && !m[SOURCES] && !m[CHANNELS])
		return policy_fail(ps, n, "states no condition");
	ret->kinds = (1u << BW_POLICY_KINDS) - 1;
	if (m[SEVERITY]) {
		r = get_word(ps, MEMBER(n, keys, m, SEVERITY), severities, BW_POLICY_SEVERITIES, &word);
		if (!r)
			ret->severity = word;
	}
	if (!r && m[KIND]) {
		r = get_word(ps, MEMBER(n, keys, m, KIND), kinds, BW_POLICY_KINDS, &word);
		if (!r)
			ret->kinds = 1u << word;
	}
	if (!r && m[RULES])
		r = get_words(ps, MEMBER(n, keys, m, RULES), &ret->rules);
	if (!r && m[SOURCES])
		r = get_words(ps, MEMBER(n, keys, m, SOURCES), &ret->sources);
	if (!r && m[CHANNELS])
		r = get_words(ps, MEMBER(n, keys, m, CHANNELS), &ret->channels);
	return r;
}

static int parse_refusals(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_protect *p)
{
	struct policy_node at = { .up = n };
	int r;

	r = policy_get_list(ps, n, 0, BW_MAX_POLICY_REFUSALS, &p->n_refusals);
	if (r < 0)
		return r;
	memset(p->refusals, 0, sizeof(p->refusals));
	cJSON_ArrayForEach(at.value, n->value) {
		r = parse_refusal(ps, &at, &p->refusals[at.index]);
		if (r < 0)
			return r;
		at.index++;
	}
	return 0;
}

int policy_parse_protect(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_protect *p)
{
	enum { REFUSE, WAIT, CALLER, TIMEOUT, INCOMPLETE, N_KEYS };
	static const char *const keys[] = { "refuse", "wait_ms", "caller_ms", "on_timeout", "on_incomplete" };
	const cJSON *m[N_KEYS];
	uint64_t v;
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of protect");
	r = policy_get_members(ps, n, keys, N_KEYS, m);
	if (!r && m[REFUSE])
		r = parse_refusals(ps, MEMBER(n, keys, m, REFUSE), p);
	if (!r && m[WAIT]) {
		r = policy_get_uint(ps, MEMBER(n, keys, m, WAIT), 1, BW_MAX_POLICY_WAIT_MS, &v);
		if (!r)
			p->wait_ms = (uint32_t)v;
	}
	if (!r && m[CALLER]) {
		r = policy_get_uint(ps, MEMBER(n, keys, m, CALLER), 1, BW_MAX_POLICY_CALLER_MS, &v);
		if (!r)
			p->caller_ms = (uint32_t)v;
	}
	if (!r && m[TIMEOUT])
		r = get_verdict(ps, MEMBER(n, keys, m, TIMEOUT), &p->on_timeout);
	if (!r && m[INCOMPLETE])
		r = get_verdict(ps, MEMBER(n, keys, m, INCOMPLETE), &p->on_incomplete);
	return r;
}

const char *bw_policy_severity_name(unsigned int severity)
{
	return severity < BW_POLICY_SEVERITIES ? severities[severity] : "?";
}

const char *bw_policy_kind_name(unsigned int kind)
{
	return kind < BW_POLICY_KINDS ? kinds[kind] : "?";
}

static bool words_valid(const struct bw_policy_words *w)
{
	if (w->n > BW_MAX_POLICY_WORDS)
		return false;
	for (uint32_t i = 0; i < w->n; i++)
		if (!memchr(w->words[i], 0, sizeof(w->words[i])))
			return false;
	return true;
}

bool bw_policy_protect_valid(const struct bw_policy_protect *p)
{
	if (p->n_refusals > BW_MAX_POLICY_REFUSALS || !p->wait_ms || p->wait_ms > BW_MAX_POLICY_WAIT_MS || !p->caller_ms ||
	    p->caller_ms > BW_MAX_POLICY_CALLER_MS || p->on_timeout > BW_VERDICT_DENY || p->on_incomplete > BW_VERDICT_DENY)
		return false;
	for (uint32_t i = 0; i < p->n_refusals; i++) {
		const struct bw_policy_refusal *f = &p->refusals[i];

		if (f->severity >= BW_POLICY_SEVERITIES || f->kinds >> BW_POLICY_KINDS || !words_valid(&f->rules) ||
		    !words_valid(&f->sources) || !words_valid(&f->channels))
			return false;
	}
	return true;
}

static bool listed(const struct bw_policy_words *w, const char *word)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (!strcmp(w->words[i], word))
			return true;
	return !w->n;
}

bool bw_policy_refuses(const struct bw_policy_protect *p, unsigned int severity, unsigned int kind, const char *rule,
		       const char *source, const char *channel)
{
	for (uint32_t i = 0; i < p->n_refusals; i++) {
		const struct bw_policy_refusal *f = &p->refusals[i];

		if (severity >= f->severity && kind < BW_POLICY_KINDS && f->kinds >> kind & 1 &&
		    listed(&f->rules, rule) && listed(&f->sources, source) && listed(&f->channels, channel))
			return true;
	}
	return false;
}
