// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The catalogue in memory and in its file: what calls leave behind, slugs that become one, limits, and reading back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/api_metrics.h"
#include "common/api_store.h"
#include "common/event_store.h"
#include "guard/api/catalogue.h"
#include "guard/api/extract.h"
#include "guard/api/view.h"

#define SECOND 1000000000ll

static char dir[] = "/tmp/bw-catalogue-XXXXXX", path[64];

static int setup(void **state)
{
	snprintf(path, sizeof(path), "%s/api.db", dir);
	unlink(path);
	return 0;
}

static struct api_call call(const char *method, const char *host, const char *p, int status)
{
	return (struct api_call){
		.id = 1, .method = method, .host = host, .path = p, .scheme = "https", .operation = "", .comm = "app", .exe = "/usr/bin/app",
		.status = status, .grpc_status = -1, .role = API_ROLE_SERVER, .direction = API_DIRECTION_NORTH_SOUTH,
		.request = { .first_ns = 1000000, .last_ns = 2000000, .head_bytes = 100, .content_type = "", .coding = "" },
		.response = { .first_ns = 3000000, .last_ns = 21000000, .head_bytes = 50, .body_bytes = 7, .content_type = "text/plain", .coding = "" },
		.remote = { .family = AF_INET, .port = 5000, .bytes = { 203, 0, 113, 7 } },
	};
}

static void load(struct api_data *d)
{
	struct sqlite3 *db = NULL;

	assert_int_equal(api_store_open(path, &db), 0);
	assert_int_equal(api_store_load(db, d), 0);
	event_store_close(&db);
}

static const struct api_endpoint *find(const struct api_data *d, const char *host, const char *method, const char *p)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (!strcmp(d->endpoints[i].host, host) && !strcmp(d->endpoints[i].method, method) && !strcmp(d->endpoints[i].path, p))
			return &d->endpoints[i];
	return NULL;
}

static void a_call_becomes_facts(void **state)
{
	struct api_field fields[] = { { API_AT_QUERY, API_TYPE_INTEGER, "page" }, { API_AT_REQUEST_BODY, API_TYPE_STRING | API_TYPE_NULL, "user.name" } };
	struct api_pii_hit hits[] = { { API_AT_REQUEST_BODY, 3, 2, 77, "user.card", "card" } };
	struct api_call c = call("POST", "a", "/users/{number}", 500);
	const struct api_endpoint *e;
	struct api_catalogue *cat;
	struct api_data d;

	c.fields = fields;
	c.nfields = 2;
	c.pii = hits;
	c.npii = 1;
	c.findings = 1ull << API_FIND_TE_AND_CL;
	assert_int_equal(api_catalogue_open(path, &cat), 0);
	api_catalogue_add(cat, &c, 100 * SECOND);
	c.auth = API_AUTH_BEARER;
	c.status = 200;
	api_catalogue_add(cat, &c, 50 * SECOND);
	api_catalogue_counter(cat, "engine.gaps", 5);
	assert_int_equal(api_catalogue_flush(cat), 0);
	/* what did not change is not written again */
	api_catalogue_counter(cat, "engine.gaps", 5);
	assert_int_equal(api_catalogue_flush(cat), 0);
	assert_int_equal(api_catalogue_stats(cat)->writes, 1);
	api_catalogue_free(cat);

	load(&d);
	e = find(&d, "a", "POST", "/users/{number}");
	assert_non_null(e);
	assert_true(e->first_ns == 50 * SECOND && e->last_ns == 100 * SECOND);
	assert_true(e->calls == 2 && e->errors == 1 && e->timed == 2 && e->duration_ns == 40000000);
	assert_true(e->request_bytes == 200 && e->response_bytes == 114);
	assert_int_equal(api_endpoint_fact(e, "status", "500")->count, 1);
	assert_int_equal(api_endpoint_fact(e, "auth", "none")->count, 1);
	assert_int_equal(api_endpoint_fact(e, "auth", "bearer")->count, 1);
	assert_string_equal(api_endpoint_fact(e, "query", "page")->value, "integer");
	assert_int_equal(api_endpoint_fact(e, "class", "card")->count, 4);
	assert_string_equal(api_endpoint_fact(e, "pii", "request.body:user.card")->value, "card");
	assert_int_equal(api_endpoint_fact(e, "caller", "203.0.113.7")->count, 2);
	assert_int_equal(api_endpoint_fact(e, "duration", "0.025")->count, 2);
	assert_int_equal(api_endpoint_fact(e, "finding", "te-and-cl")->count, 2);
	assert_int_equal(api_endpoint_fact(e, "exception", "server-error")->count, 1);
	assert_null(api_endpoint_fact(e, "status", "404"));
	assert_int_equal(d.ncounters, 1);
	assert_int_equal(d.counters[0].value, 5);
	api_data_free(&d);
}

static void what_is_no_call_of_its_own_is_ignored(void **state)
{
	struct api_call c = call("GET", "a", "/x", 200);
	struct api_catalogue *cat;

	assert_int_equal(api_catalogue_new(&cat), 0);
	c.flags = API_CALL_DUPLICATE;
	api_catalogue_add(cat, &c, SECOND);
	c.flags = API_CALL_NO_REQUEST;
	api_catalogue_add(cat, &c, SECOND);
	c.flags = 0;
	c.path = "";
	api_catalogue_add(cat, &c, SECOND);
	assert_int_equal(api_catalogue_stats(cat)->ignored, 3);
	assert_int_equal(api_catalogue_stats(cat)->endpoints, 0);
	api_catalogue_free(cat);
}

static void many_slugs_become_one(void **state)
{
	struct api_catalogue *cat;
	struct api_data d;
	char p[64];

	assert_int_equal(api_catalogue_open(path, &cat), 0);
	for (unsigned int i = 0; i <= API_CATALOGUE_SLUGS; i++) {
		struct api_call c = call("GET", "a", p, i % 2 ? 200 : 404);

		snprintf(p, sizeof(p), "/p/phone-%u/reviews", i);
		if (i == API_CATALOGUE_SLUGS)
			assert_int_equal(api_catalogue_flush(cat), 0); /* the others are in the file already */
		api_catalogue_add(cat, &c, (10 + i) * SECOND);
	}
	/* words beside them are not touched, nor is another host */
	struct api_call word = call("GET", "a", "/p/search/reviews", 200), other = call("GET", "b", "/p/phone-1/reviews", 200);

	api_catalogue_add(cat, &word, SECOND);
	api_catalogue_add(cat, &other, SECOND);
	assert_int_equal(api_catalogue_flush(cat), 0);
	assert_int_equal(api_catalogue_stats(cat)->collapsed, 1);
	api_catalogue_free(cat);

	load(&d);
	assert_int_equal(d.n, 3);
	assert_int_equal(find(&d, "a", "GET", "/p/{slug}/reviews")->calls, API_CATALOGUE_SLUGS + 1);
	assert_true(find(&d, "a", "GET", "/p/{slug}/reviews")->first_ns == 10 * SECOND);
	assert_int_equal(api_endpoint_fact(find(&d, "a", "GET", "/p/{slug}/reviews"), "status", "404")->count, (API_CATALOGUE_SLUGS + 2) / 2);
	assert_non_null(find(&d, "a", "GET", "/p/search/reviews"));
	assert_non_null(find(&d, "b", "GET", "/p/phone-1/reviews"));
	api_data_free(&d);

	/* it is remembered */
	assert_int_equal(api_catalogue_open(path, &cat), 0);
	{
		struct api_call c = call("GET", "a", "/p/phone-99/reviews", 200);

		api_catalogue_add(cat, &c, 90 * SECOND);
	}
	assert_int_equal(api_catalogue_flush(cat), 0);
	api_catalogue_free(cat);
	load(&d);
	assert_int_equal(d.n, 3);
	assert_int_equal(find(&d, "a", "GET", "/p/{slug}/reviews")->calls, API_CATALOGUE_SLUGS + 2);
	api_data_free(&d);
}

static void words_are_never_merged_but_bounded(void **state)
{
	struct api_catalogue *cat;
	struct api_data d;
	char p[64];

	assert_int_equal(api_catalogue_open(path, &cat), 0);
	for (unsigned int i = 0; i < API_CATALOGUE_MAX_ENDPOINTS + 10; i++) {
		struct api_call c = call("GET", "a", p, 200);

		snprintf(p, sizeof(p), "/%c%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26, 'a' + i / 17576 % 26);
		api_catalogue_add(cat, &c, SECOND);
	}
	assert_int_equal(api_catalogue_stats(cat)->overflow_endpoints, 10);
	assert_int_equal(api_catalogue_flush(cat), 0);
	api_catalogue_free(cat);
	load(&d);
	assert_int_equal(d.n, API_CATALOGUE_MAX_ENDPOINTS + 1);
	assert_int_equal(find(&d, "a", "", "{other}")->calls, 10);
	api_data_free(&d);
}

static void hosts_and_facts_are_bounded(void **state)
{
	struct api_catalogue *cat;
	char text[64];

	assert_int_equal(api_catalogue_new(&cat), 0);
	for (unsigned int i = 0; i < API_CATALOGUE_MAX_HOSTS + 5; i++) {
		struct api_call c = call("GET", text, "/x", 200);

		snprintf(text, sizeof(text), "h%u.example", i);
		api_catalogue_add(cat, &c, SECOND);
	}
	assert_int_equal(api_catalogue_stats(cat)->overflow_endpoints, 5);
	for (unsigned int i = 0; i < 200; i++) {
		struct api_field f = { API_AT_QUERY, API_TYPE_STRING, text };
		struct api_call c = call("GET", "h1.example", "/x", 200);

		snprintf(text, sizeof(text), "p%u", i);
		c.fields = &f;
		c.nfields = 1;
		api_catalogue_add(cat, &c, SECOND);
	}
	assert_int_equal(api_catalogue_stats(cat)->overflow_facts, 200 - 128);
	api_catalogue_free(cat);
}

static void old_endpoints_are_forgotten(void **state)
{
	struct api_call a = call("GET", "a", "/old", 200), b = call("GET", "a", "/new", 200);
	struct api_catalogue *cat;
	struct api_data d;

	assert_int_equal(api_catalogue_open(path, &cat), 0);
	api_catalogue_add(cat, &a, 10 * SECOND);
	api_catalogue_add(cat, &b, 20 * SECOND);
	assert_int_equal(api_catalogue_flush(cat), 0);
	api_catalogue_prune(cat, 15 * SECOND);
	assert_int_equal(api_catalogue_flush(cat), 0);
	api_catalogue_free(cat);
	load(&d);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.endpoints[0].path, "/new");
	api_data_free(&d);
}

static void files_of_others_are_left_alone(void **state)
{
	struct api_catalogue *cat;
	struct sqlite3 *db;
	struct stat st;
	FILE *f;

	assert_int_equal(api_catalogue_open(path, &cat), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	api_catalogue_free(cat);
	f = fopen(path, "w");
	fputs("this is no database, and long enough to be sure of that: ................................................", f);
	fclose(f);
	assert_int_equal(api_catalogue_open(path, &cat), -EUCLEAN);
	assert_int_equal(api_store_open(path, &db), -EUCLEAN);
	unlink(path);
	assert_int_equal(api_store_open(path, &db), -ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(api_catalogue_open(path, &cat), -EISDIR);
	rmdir(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(api_catalogue_open(path, &cat), -ELOOP);
	unlink(path);
}

static void metrics(void **state)
{
	struct api_call c = call("GET", "a\"\\", "/x", 200);
	struct api_catalogue *cat;
	struct bw_buf b = { 0 };
	struct api_data d;

	assert_int_equal(api_catalogue_open(path, &cat), 0);
	api_catalogue_add(cat, &c, SECOND);
	assert_int_equal(api_catalogue_flush(cat), 0);
	api_catalogue_free(cat);
	load(&d);
	api_metrics_prometheus(&d, &b);
	assert_non_null(strstr(b.data, "bpfwarden_api_requests_total{host=\"a\\\"\\\\\",method=\"GET\",path=\"/x\"} 1\n"));
	assert_non_null(strstr(b.data, ",le=\"0.01\"} 0\n"));
	assert_non_null(strstr(b.data, ",le=\"0.025\"} 1\n"));
	assert_non_null(strstr(b.data, ",le=\"+Inf\"} 1\n"));
	assert_non_null(strstr(b.data, "_sum{host=\"a\\\"\\\\\",method=\"GET\",path=\"/x\"} 0.020000000\n"));
	bw_buf_free(&b);
	api_data_free(&d);
}

static void sampling(void **state)
{
	struct api_call c = call("GET", "a", "/x", 200);
	unsigned int n = 0;

	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t r = (i + 1) * 0x9e3779b97f4a7c15ull;

		memcpy(c.trace.trace_id + 8, &r, 8);
		n += api_view_sampled(&c, 100);
	}
	assert_in_range(n, 900, 1100);
	assert_false(api_view_sampled(&c, 0));
	c.status = 503;
	assert_true(api_view_sampled(&c, 0));
	c.status = 200;
	c.findings = 1ull << API_FIND_NO_HOST;
	assert_false(api_view_sampled(&c, 0));
	c.findings = 1ull << API_FIND_OBS_FOLD;
	assert_true(api_view_sampled(&c, 0));
	assert_true(api_view_sampled(&c, 1000));
}

static void custom_rules(void **state)
{
	static const char good[] =
		"{\"format\":\"bpfwarden-api-extract/1\",\"rules\":["
		"{\"action\":\"record\",\"in\":\"request.header\",\"name\":\"x-tenant\",\"max_length\":16,\"reason\":\"billing\"},"
		"{\"action\":\"hash\",\"in\":\"request.body\",\"name\":\"user.id\",\"as\":\"user\",\"host\":\"a\",\"path\":\"/u\"},"
		"{\"action\":\"drop\",\"in\":\"query\",\"name\":\"utm_*\"},"
		"{\"action\":\"rename\",\"in\":\"query\",\"name\":\"q\",\"as\":\"search\"}]}";
	static const struct {
		const char *text, *path;
	} bad[] = {
		{ "{", "" },
		{ "[]", "" },
		{ "{\"format\":\"x\",\"rules\":[]}", "format" },
		{ "{\"format\":\"bpfwarden-api-extract/1\"}", "rules" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[],\"x\":1}", "x" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"in\":\"query\"}]}", "rules[0]" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"steal\",\"in\":\"query\",\"name\":\"a\"}]}", "rules[0].action" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"in\":\"path\",\"name\":\"a\"}]}", "rules[0].in" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"in\":\"query\",\"name\":\"\"}]}", "rules[0].name" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"rename\",\"in\":\"query\",\"name\":\"a\"}]}", "rules[0]" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"in\":\"query\",\"name\":\"a\",\"max_length\":0}]}",
		  "rules[0].max_length" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"in\":\"query\",\"name\":\"a\",\"nam\":\"b\"}]}", "rules[0].nam" },
		{ "{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"drop\",\"action\":\"drop\",\"in\":\"query\",\"name\":\"a\"}]}",
		  "rules[0].action" },
	};
	struct api_extract_error e;
	struct api_extract *x = NULL;

	assert_int_equal(api_extract_parse(good, sizeof(good) - 1, &x, &e), 0);
	assert_int_equal(x->n, 4);
	assert_int_equal(api_extract_find(x, "b", "/", API_AT_REQUEST_HEADER, "x-tenant")->max_length, 16);
	assert_string_equal(api_extract_find(x, "a", "/u/{number}", API_AT_REQUEST_BODY, "user.id")->as, "user");
	assert_null(api_extract_find(x, "a", "/v", API_AT_REQUEST_BODY, "user.id"));
	assert_null(api_extract_find(x, "b", "/u", API_AT_REQUEST_BODY, "user.id"));
	assert_int_equal(api_extract_find(x, "b", "/u", API_AT_QUERY, "utm_source")->action, API_EXTRACT_DROP);
	assert_null(api_extract_find(x, "b", "/u", API_AT_QUERY, "utm"));
	api_extract_free(x);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(api_extract_parse(bad[i].text, strlen(bad[i].text), &x, &e), -EINVAL);
		assert_string_equal(e.path, bad[i].path);
		assert_true(*e.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_call_becomes_facts, setup),
		cmocka_unit_test_setup(what_is_no_call_of_its_own_is_ignored, setup),
		cmocka_unit_test_setup(many_slugs_become_one, setup),
		cmocka_unit_test_setup(words_are_never_merged_but_bounded, setup),
		cmocka_unit_test_setup(hosts_and_facts_are_bounded, setup),
		cmocka_unit_test_setup(old_endpoints_are_forgotten, setup),
		cmocka_unit_test_setup(files_of_others_are_left_alone, setup),
		cmocka_unit_test_setup(metrics, setup),
		cmocka_unit_test(sampling),
		cmocka_unit_test(custom_rules),
	};
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return r;
}
