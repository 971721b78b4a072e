// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Noise control: what is held back is counted and told, no distinct fact is lost, and whatever holds back ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <cJSON.h>

#include "guard/sinks/noise.h"

#define DAY 86400
#define SATURDAY 2 /* 1970-01-03 */

static struct noise_config config;
static struct noise *n;
static uint64_t seq;

static void start(const char *json)
{
	char field[128] = "", reason[256] = "";
	bool at_key;
	cJSON *o = cJSON_Parse(json);

	assert_non_null(o);
	if (noise_config_parse(o, &config, field, sizeof(field), &at_key, reason, sizeof(reason)) < 0)
		fail_msg("%s: %s", field, reason);
	cJSON_Delete(o);
	assert_int_equal(noise_new(&config, &n), 0);
	seq = 0;
}

static int stop(void **state)
{
	noise_free(n);
	n = NULL;
	noise_config_free(&config);
	return 0;
}

static void refused(const char *json, const char *want)
{
	char field[128] = "", reason[256] = "", got[400];
	bool at_key;
	cJSON *o = cJSON_Parse(json);

	assert_non_null(o);
	assert_int_equal(noise_config_parse(o, &config, field, sizeof(field), &at_key, reason, sizeof(reason)), -EINVAL);
	cJSON_Delete(o);
	snprintf(got, sizeof(got), "%s: %s", field, reason);
	if (!strstr(got, want))
		fail_msg("%s instead of %s", got, want);
}

/* @more: members, each with a comma before it. */
static enum noise_verdict event_at(int64_t boot, int64_t real, const char *rule, const char *severity, const char *more)
{
	static struct event_view v;
	char line[4096];
	int len;

	seq++;
	len = snprintf(line, sizeof(line), "{\"v\":1,\"seq\":%llu,\"uid\":\"0-%016llx\",\"time\":\"x%llu\",\"kind\":\"%.*s\",\"severity\":\"%s\",\"rule\":\"%s\","
					   "\"loader_tgid\":%llu%s}", (unsigned long long)seq, (unsigned long long)seq, (unsigned long long)seq,
		       (int)strcspn(rule, "."), rule, severity, rule, (unsigned long long)(seq * 7), more);
	assert_int_equal(event_view_parse(line, (size_t)len, &v), 0);
	return noise_judge(n, &v, boot, real);
}

static enum noise_verdict event(int64_t boot, const char *rule, const char *more)
{
	return event_at(boot, 0, rule, "medium", more);
}

static struct noise_summary next(int64_t boot)
{
	struct noise_summary s;

	assert_int_equal(noise_next(n, boot, 0, false, &s), 1);
	return s;
}

static void nothing(int64_t boot)
{
	struct noise_summary s;

	assert_int_equal(noise_next(n, boot, 0, false, &s), 0);
}

static void repeats_become_one_summary(void **state)
{
	struct noise_summary s;
	struct noise_stats st;

	start("{}");
	assert_int_equal(event(100, "load.default", ",\"prog_name\":\"a\",\"error\":7"), NOISE_SEND);
	assert_int_equal(event(100, "load.default", ",\"prog_name\":\"b\""), NOISE_SEND);
	for (int i = 0; i < 50; i++) /* another process, another descriptor: the same fact */
		assert_int_equal(event(101, "load.default", ",\"prog_name\":\"a\",\"error\":8"), NOISE_REPEAT);
	assert_int_equal(event(101, "load.default", ",\"prog_name\":\"a\",\"error\":-1"), NOISE_SEND);
	assert_int_equal(event(101, "load.default", ",\"prog_name\":\"a\",\"unknown_member\":1"), NOISE_SEND);
	nothing(159);
	s = next(160);
	assert_string_equal(s.rule, "load.default");
	assert_string_equal(s.kind, "load");
	assert_int_equal(s.cause, NOISE_REPEAT);
	assert_int_equal(s.count, 50);
	assert_int_equal(s.facts, 1);
	assert_int_equal(s.first_seq, 3);
	assert_int_equal(s.last_seq, 52);
	assert_int_equal(s.severity, EVENT_MEDIUM);
	assert_string_equal(s.list, "[\"count=50 first_seq=3 last_seq=52 severity=\\\"medium\\\" prog_name=\\\"a\\\"\"]");
	nothing(160);
	/* A storm that goes on is a summary a window; once it has paused for one, it is news again. */
	assert_int_equal(event(161, "load.default", ",\"prog_name\":\"a\",\"error\":8"), NOISE_REPEAT);
	assert_int_equal(next(220).count, 1);
	nothing(280);
	assert_int_equal(event(281, "load.default", ",\"prog_name\":\"a\",\"error\":8"), NOISE_SEND);
	noise_stats(n, &st);
	assert_int_equal(st.verdicts[NOISE_REPEAT], 51);
	assert_int_equal(st.untold, 0);
}

/* Random events, all rules at once: delivered + told = seen, and every fact was delivered or is in a summary. */
static void nothing_is_lost(void **state)
{
	uint64_t seen = 0, sent = 0, told = 0, sent_facts = 0, told_facts = 0;
	static bool known[4000];
	struct noise_summary s;
	struct noise_stats st;

	memset(known, 0, sizeof(known));
	start("{\"limits\":[{\"rule\":\"load.*\",\"per_s\":5,\"burst\":20}]}");
	srand(7);
	for (int64_t t = 0; t < 600; t++) {
		for (int i = 0; i < 100; i++) {
			unsigned int fact = (unsigned int)rand() % 4000;
			char more[64];

			snprintf(more, sizeof(more), ",\"prog_name\":\"p%u\"", fact);
			seen++;
			if (event(t, rand() % 2 ? "load.default" : "load.rule", more) == NOISE_SEND) {
				sent++;
				sent_facts += !known[fact];
				known[fact] = true;
			}
		}
		while (noise_next(n, t, 0, t == 599, &s)) {
			cJSON *list = cJSON_Parse(s.list), *item;
			uint64_t sum = 0;

			assert_int_equal(cJSON_GetArraySize(list), s.facts);
			assert_true(s.facts <= NOISE_SUMMARY_FACTS);
			cJSON_ArrayForEach(item, list) {
				const char *p = strstr(item->valuestring, "prog_name=\"p");

				assert_non_null(p);
				known[strtoul(p + 12, NULL, 10)] = true;
				sum += strtoul(item->valuestring + 6, NULL, 10);
			}
			cJSON_Delete(list);
			assert_int_equal(sum, s.count);
			told += s.count;
			told_facts += s.facts;
		}
	}
	assert_int_equal(sent + told, seen);
	for (size_t i = 0; i < 4000; i++)
		assert_true(known[i]);
	assert_true(told > seen / 3);
	noise_stats(n, &st);
	assert_int_equal(st.untold, 0);
	assert_int_equal(st.verdicts[NOISE_SEND], sent);
	assert_int_equal(st.verdicts[NOISE_REPEAT] + st.verdicts[NOISE_LIMITED], told);
	assert_true(told_facts > 0 && sent_facts > 0);
}

static void rates_are_by_rule(void **state)
{
	struct noise_summary s;
	char more[64];

	start("{\"dedup\":false,\"limits\":[{\"rule\":\"load.*\",\"per_s\":2,\"burst\":3}]}");
	for (int i = 0; i < 10; i++) {
		snprintf(more, sizeof(more), ",\"prog_name\":\"p%d\"", i);
		assert_int_equal(event_at(10, 0, "load.default", "high", more), i < 3 ? NOISE_SEND : NOISE_LIMITED);
	}
	assert_int_equal(event(10, "load.rule", ""), NOISE_SEND); /* a bucket of its own */
	assert_int_equal(event(10, "map.opened", ""), NOISE_SEND);
	for (int i = 0; i < 3; i++) /* not limited, and not looked at for repeats */
		assert_int_equal(event(10, "map.opened", ""), NOISE_SEND);
	assert_int_equal(event_at(11, 0, "load.default", "high", ",\"prog_name\":\"p9\""), NOISE_SEND);
	assert_int_equal(event_at(11, 0, "load.default", "high", ",\"prog_name\":\"p9\""), NOISE_SEND);
	assert_int_equal(event_at(11, 0, "load.default", "high", ",\"prog_name\":\"p9\""), NOISE_LIMITED);
	/* Nobody has heard of p3 to p8, and they are of high severity: soon. */
	nothing(10 + NOISE_URGENT_S - 1);
	s = next(10 + NOISE_URGENT_S);
	assert_int_equal(s.cause, NOISE_LIMITED);
	assert_int_equal(s.severity, EVENT_HIGH);
	assert_int_equal(s.count, 8);
	assert_int_equal(s.facts, 7);
}

static void a_clock_that_stands_or_jumps(void **state)
{
	start("{\"limits\":[{\"rule\":\"*\",\"per_s\":1000000,\"burst\":10000000}]}");
	assert_int_equal(event(INT64_MAX / 2000000, "load.a", ""), NOISE_SEND);
	assert_int_equal(event(0, "load.a", ",\"prog_name\":\"x\""), NOISE_SEND);
	assert_int_equal(event(INT64_MAX / 2000000, "load.a", ",\"prog_name\":\"y\""), NOISE_SEND);
}

static void suppressions_end(void **state)
{
	struct noise_summary s;
	const int64_t until = 11 * DAY; /* 1970-01-11 is the last day */

	start("{\"suppress\":[{\"id\":\"agent\",\"reason\":\"our profiler, ticket 12\",\"expires\":\"1970-01-11\","
	      "\"match\":{\"rule\":\"load.*\",\"loader_exe\":\"/opt/*/profiler\",\"helpers\":\"probe_read\"}}]}");
	const char *ours = ",\"loader_exe\":\"/opt/v\\u0031/profiler\",\"helpers\":[\"map_lookup_elem\",\"probe_read\"]";

	assert_int_equal(event_at(5, until - 1, "load.default", "high", ours), NOISE_SUPPRESSED);
	assert_int_equal(event_at(5, until - 1, "load.default", "critical", ours), NOISE_SEND);
	assert_int_equal(event_at(5, until - 1, "load.default", "high", ",\"loader_exe\":\"/opt/v1/profiler2\",\"helpers\":[\"probe_read\"]"), NOISE_SEND);
	assert_int_equal(event_at(5, until - 1, "load.default", "high", ",\"loader_exe\":\"/opt/v1/profiler\",\"helpers\":[\"x\"]"), NOISE_SEND);
	assert_int_equal(event_at(5, until - 1, "load.default", "high", ",\"loader_exe\":\"/opt/v1/profiler\""), NOISE_SEND);
	assert_int_equal(event_at(5, until - 1, "guard.loss", "high", ours), NOISE_SEND);
	assert_int_equal(noise_next(n, 5, until - 1, false, &s), 0);
	assert_int_equal(noise_next(n, 5 + NOISE_COUNT_S, until - 1, false, &s), 1);
	assert_int_equal(s.cause, NOISE_SUPPRESSED);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.first_seq, 1);
	assert_string_equal(s.id, "agent");
	assert_string_equal(s.reason, "our profiler, ticket 12");
	assert_null(s.list);
	assert_int_equal(noise_next(n, 5 + NOISE_COUNT_S, until - 1, false, &s), 0);
	/* Over: it comes again, and that is said once. */
	assert_int_equal(event_at(4000, until, "load.default", "high", ours), NOISE_SEND);
	assert_int_equal(noise_next(n, 4000, until, false, &s), 1);
	assert_string_equal(s.event, "suppression_expired");
	assert_int_equal(s.count, 1);
	assert_int_equal(noise_next(n, 4000, until, false, &s), 0);
}

static void windows_open_and_close(void **state)
{
	const int64_t saturday = SATURDAY * DAY, from = saturday + 23 * 3600;
	struct noise_summary s;

	start("{\"maintenance\":[{\"id\":\"weekly\",\"reason\":\"updates\",\"days\":[\"sat\"],\"at\":\"23:00\",\"minutes\":120,"
	      "\"match\":{\"rule\":\"load.*\"}}]}");
	assert_int_equal(event_at(1, from - 1, "load.a", "high", ",\"prog_name\":\"x\""), NOISE_SEND);
	assert_int_equal(event_at(2, from, "load.a", "high", ",\"prog_name\":\"x\""), NOISE_MAINTENANCE);
	assert_int_equal(event_at(2, from, "load.a", "critical", ",\"prog_name\":\"x\""), NOISE_SEND);
	assert_int_equal(event_at(2, from, "map.opened", "high", ",\"prog_name\":\"x\""), NOISE_SEND);
	/* It goes on over midnight, and over the end of the week. */
	assert_int_equal(event_at(7202, from + 7199, "load.a", "high", ",\"prog_name\":\"x\""), NOISE_MAINTENANCE);
	assert_int_equal(event_at(7202, from + 7199 - 7 * DAY, "load.a", "high", ",\"prog_name\":\"y\""), NOISE_MAINTENANCE);
	assert_int_equal(noise_next(n, 7202, from + 7199, false, &s), 0);
	assert_int_equal(noise_next(n, 7203, from + 7200, false, &s), 1);
	assert_int_equal(s.cause, NOISE_MAINTENANCE);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.facts, 2);
	assert_int_equal(s.severity, EVENT_INFO);
	assert_string_equal(s.id, "weekly");
	assert_non_null(strstr(s.list, "prog_name=\\\"y\\\""));
	assert_int_equal(event_at(7203, from + 7200, "load.a", "high", ",\"prog_name\":\"z\""), NOISE_SEND);
	assert_int_equal(noise_rule_count(n, true, 0), 3);
}

static void no_room_is_no_loss(void **state)
{
	struct noise_stats st;
	char more[64];

	start("{}");
	for (unsigned int i = 0; i < NOISE_MAX_FACTS + 100; i++) {
		snprintf(more, sizeof(more), ",\"prog_name\":\"p%u\"", i);
		assert_int_equal(event(1, "load.default", more), NOISE_SEND);
	}
	noise_stats(n, &st);
	assert_int_equal(st.facts, NOISE_MAX_FACTS);
	assert_int_equal(st.overflows, 100);
	nothing(100);
	noise_stats(n, &st);
	assert_int_equal(st.facts, 0);
}

static void hostile_text_stays_text(void **state)
{
	struct noise_summary s;
	char more[3000] = ",\"prog_name\":\"a\\\" severity=\\\"low\\n\\t\",\"big\":\"";
	size_t len = strlen(more);
	cJSON *list;

	memset(more + len, 'x', 2000);
	strcpy(more + len + 2000, "\",\"action\":\"denied\"");
	start("{}");
	event(1, "load.default", more);
	assert_int_equal(event(1, "load.default", more), NOISE_REPEAT);
	s = next(61);
	list = cJSON_Parse(s.list);
	assert_string_equal(cJSON_GetArrayItem(list, 0)->valuestring,
			    "count=1 first_seq=2 last_seq=2 severity=\"medium\" prog_name=\"a\\\" severity=\\\"low\\n\\t\" action=\"denied\" cut=true");
	cJSON_Delete(list);
}

static void mistakes_have_a_place(void **state)
{
	refused("[]", "noise: must be an object");
	refused("{\"x\":1}", "noise.x: unknown key");
	refused("{\"window_s\":0}", "noise.window_s: ");
	refused("{\"dedup\":1}", "noise.dedup: ");
	refused("{\"limits\":[{\"rule\":\"a\"}]}", "noise.limits[0]: \"per_s\"");
	refused("{\"limits\":[{\"rule\":\"guard.loss\",\"per_s\":1}]}", "noise.limits[0].rule: what the guard");
	refused("{\"suppress\":[{\"id\":\"a\",\"match\":{\"rule\":\"x\"},\"expires\":\"2027-01-01\"}]}", "noise.suppress[0]: \"reason\"");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\" \",\"match\":{\"rule\":\"x\"},\"expires\":\"2027-01-01\"}]}", "noise.suppress[0].reason");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\"b\",\"match\":{\"rule\":\"x\"}}]}", "noise.suppress[0]: \"expires\"");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\"b\",\"match\":{\"rule\":\"x\"},\"expires\":\"2027-02-30\"}]}", "noise.suppress[0].expires");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\"b\",\"match\":{},\"expires\":\"2027-01-01\"}]}", "noise.suppress[0].match");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\"b\",\"expires\":\"2027-01-01\"}]}", "noise.suppress[0]: \"match\"");
	refused("{\"suppress\":[{\"id\":\"a\",\"reason\":\"b\",\"match\":{\"rule\":\"x\"},\"expires\":\"2027-01-01\",\"at\":\"1\"}]}", "noise.suppress[0].at: unknown");
	refused("{\"maintenance\":[{\"id\":\"a\",\"reason\":\"b\",\"days\":[\"sunday\"],\"at\":\"02:00\",\"minutes\":1}]}", "noise.maintenance[0].days");
	refused("{\"maintenance\":[{\"id\":\"a\",\"reason\":\"b\",\"days\":[\"sun\"],\"at\":\"24:00\",\"minutes\":1}]}", "noise.maintenance[0].at");
	refused("{\"maintenance\":[{\"id\":\"a\",\"reason\":\"b\",\"from\":\"2027-01-02\",\"until\":\"2027-01-01\"}]}", "noise.maintenance[0].until");
	refused("{\"maintenance\":[{\"id\":\"a\",\"reason\":\"b\",\"from\":\"2027-01-02T10:00:00Z\",\"until\":\"2027-01-02T11:00:00Z\"},"
		"{\"id\":\"a\",\"reason\":\"b\",\"from\":\"2027-01-02\",\"until\":\"2027-01-02\"}]}", "noise.maintenance[1].id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(repeats_become_one_summary, stop),
		cmocka_unit_test_teardown(nothing_is_lost, stop),
		cmocka_unit_test_teardown(rates_are_by_rule, stop),
		cmocka_unit_test_teardown(a_clock_that_stands_or_jumps, stop),
		cmocka_unit_test_teardown(suppressions_end, stop),
		cmocka_unit_test_teardown(windows_open_and_close, stop),
		cmocka_unit_test_teardown(no_room_is_no_loss, stop),
		cmocka_unit_test_teardown(hostile_text_stays_text, stop),
		cmocka_unit_test_teardown(mistakes_have_a_place, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
