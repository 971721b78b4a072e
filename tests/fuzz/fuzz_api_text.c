// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a path, a name, JSON, a coded body, gRPC messages, custom rules. The first byte chooses. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "guard/api/body.h"
#include "guard/api/extract.h"
#include "guard/api/grpc.h"
#include "guard/api/json_scan.h"
#include "guard/api/template.h"

static bool value(void *arg, const struct json_scan_value *v)
{
	const struct bw_slice *text = arg;

	assert(v->offset <= text->len && v->len <= text->len - v->offset && strlen(v->path) < API_MAX_NAME && v->type);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codings[] = { "gzip", "deflate", "br", "gzip, br", "deflate,gzip" };
	struct bw_slice in;

	if (!size)
		return 0;
	in = bw_slice(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0: {
		const struct api_template_mark marks[] = { { 2, 3, "card" }, { 10, 40, "name" } };
		char out[API_MAX_PATH], again[API_MAX_PATH];

		bool whole = api_template_path(in, marks, data[0] & 8 ? 2 : 0, data[0] & 16, out);

		assert(strlen(out) < API_MAX_PATH);
		for (char *p = out; *p; p++)
			assert((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f);
		/* what was templated stays as it is */
		if (whole && !(data[0] & 8)) {
			api_template_path(bw_slice(out, strlen(out)), NULL, 0, false, again);
			for (const char *p = out; *p; p++)
				assert(*p != '@');
		}
		break;
	}
	case 1: {
		char out[API_MAX_NAME];

		api_template_name(in, out);
		assert(strlen(out) < API_MAX_NAME);
		break;
	}
	case 2: {
		size_t end;

		json_scan(in, value, &in, &end);
		assert(end <= in.len);
		break;
	}
	case 3: {
		struct bw_buf out = { 0 };

		if (in.len > 1)
			body_decode(codings[in.data[0] % 5], bw_slice(in.data + 1, in.len - 1), 1 << 20, &out);
		assert(out.len <= 1 << 20);
		bw_buf_free(&out);
		break;
	}
	case 4: {
		struct grpc_reader a = { 0 }, b = { 0 };

		grpc_feed(&a, in);
		for (size_t i = 0; i < in.len; i++)
			grpc_feed(&b, bw_slice(in.data + i, 1));
		assert(a.messages == b.messages && a.broken == b.broken && grpc_web_status(&a) == grpc_web_status(&b));
		break;
	}
	case 5: {
		struct api_extract_error e;
		struct api_extract *x = NULL;

		if (!api_extract_parse((const char *)in.data, in.len, &x, &e)) {
			assert(x->n <= API_EXTRACT_MAX_RULES);
			api_extract_find(x, "h", "/p", API_AT_QUERY, "a");
			api_extract_free(x);
		}
		break;
	}
	}
	return 0;
}
