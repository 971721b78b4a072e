// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/config.h"

#include <cJSON.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/policy_sign.h"


enum config_type { CONFIG_STRING, CONFIG_MODE, CONFIG_NUMBER, CONFIG_BOOL };

/* "api.on" is the member "on" of the object "api". */
static const struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;
} keys[] = {
	{ "mode", CONFIG_MODE, offsetof(struct config, mode) },
	{ "policy", CONFIG_STRING, offsetof(struct config, policy) },
	{ "policy_trust", CONFIG_STRING, offsetof(struct config, policy_trust) },
	{ "policy_signature", CONFIG_STRING, offsetof(struct config, policy_signature) },
	{ "policy_signers", CONFIG_NUMBER, offsetof(struct config, policy_signers) },
	{ "policy_watch", CONFIG_BOOL, offsetof(struct config, policy_watch) },
	{ "policy_fetch.url", CONFIG_STRING, offsetof(struct config, policy_fetch.url) },
	{ "policy_fetch.ca", CONFIG_STRING, offsetof(struct config, policy_fetch.ca) },
	{ "policy_fetch.cert", CONFIG_STRING, offsetof(struct config, policy_fetch.cert) },
	{ "policy_fetch.key", CONFIG_STRING, offsetof(struct config, policy_fetch.key) },
	{ "policy_fetch.interval_s", CONFIG_NUMBER, offsetof(struct config, policy_fetch.interval_s) },
	{ "policy_fetch.timeout_ms", CONFIG_NUMBER, offsetof(struct config, policy_fetch.timeout_ms) },
	{ "policy_fetch.max_bytes", CONFIG_NUMBER, offsetof(struct config, policy_fetch.max_bytes) },
	{ "state_dir", CONFIG_STRING, offsetof(struct config, state_dir) },
	{ "socket", CONFIG_STRING, offsetof(struct config, socket) },
	{ "output", CONFIG_STRING, offsetof(struct config, output) },
	{ "pin_dir", CONFIG_STRING, offsetof(struct config, pin_dir) },
	{ "features", CONFIG_STRING, offsetof(struct config, features) },
	{ "retention_rows", CONFIG_NUMBER, offsetof(struct config, retention_rows) },
	{ "retention_days", CONFIG_NUMBER, offsetof(struct config, retention_days) },
	{ "protect_self", CONFIG_BOOL, offsetof(struct config, protect_self) },
	{ "api.on", CONFIG_BOOL, offsetof(struct config, api.on) },
	{ "api.call_bytes", CONFIG_NUMBER, offsetof(struct config, api.call_bytes) },
	{ "api.conn_bytes", CONFIG_NUMBER, offsetof(struct config, api.conn_bytes) },
	{ "api.total_bytes", CONFIG_NUMBER, offsetof(struct config, api.total_bytes) },
	{ "api.ring_bytes", CONFIG_NUMBER, offsetof(struct config, api.ring_bytes) },
	{ "api.conn_calls", CONFIG_NUMBER, offsetof(struct config, api.conn_calls) },
	{ "api.total_calls", CONFIG_NUMBER, offsetof(struct config, api.total_calls) },
	{ "api.cpu_percent", CONFIG_NUMBER, offsetof(struct config, api.cpu_percent) },
	{ "api.log_permille", CONFIG_NUMBER, offsetof(struct config, api.log_permille) },
	{ "api.span_permille", CONFIG_NUMBER, offsetof(struct config, api.span_permille) },
	{ "api.metrics_interval_s", CONFIG_NUMBER, offsetof(struct config, api.metrics_interval_s) },
};

static const char *const mode_names[] = {
	[BW_MODE_OBSERVE] = "observe", [BW_MODE_ENFORCE] = "enforce", [BW_MODE_PROTECT] = "protect",
};

int config_mode(const char *name, enum bw_mode *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(mode_names); i++)
		if (!strcmp(name, mode_names[i])) {
			*ret = (enum bw_mode)i;
			return 0;
		}
	return -EINVAL;
}

const char *config_mode_name(enum bw_mode mode)
{
	return (size_t)mode < ARRAY_SIZE(mode_names) ? mode_names[mode] : "?";
}

int config_set(char **setting, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*setting);
	*setting = copy;
	return 0;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type == CONFIG_STRING)
			free(*(char **)((char *)c + keys[i].offset));
	sinks_config_free(&c->sinks);
	cJSON_free(c->noise);
	cJSON_free(c->others);
	memset(c, 0, sizeof(*c));
}

const char *config_check(const struct config *c)
{
	if (c->policy_signers > BW_MAX_SIGNERS)
		return "policy_signers: more than 16";
	if (c->policy_fetch.url) {
		const struct policy_fetch_config *f = &c->policy_fetch;
		size_t host = strlen("https://");

		if (strncmp(f->url, "https://", host) || f->url[host] == '/' || !f->url[host])
			return "policy_fetch.url: must begin with https:// and a host";
		for (const char *p = f->url; *p; p++)
			if ((unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e || *p == '#')
				return "policy_fetch.url: has a character that does not belong there";
		if (memchr(f->url + host, '@', strcspn(f->url + host, "/?")))
			return "policy_fetch.url: a name or password in it would be shown: use cert and key";
		if (!f->cert != !f->key)
			return "policy_fetch.cert: needs key, and key needs cert";
		if (f->interval_s > CONFIG_FETCH_MAX_INTERVAL_S || f->timeout_ms > CONFIG_FETCH_MAX_TIMEOUT_MS)
			return "policy_fetch: at most 604800 for interval_s and 600000 for timeout_ms";
		if (f->max_bytes > BW_MAX_POLICY_SIZE)
			return "policy_fetch.max_bytes: more than a policy may have (64 MiB)";
		if (c->policy_signature)
			return "policy_signature: not with policy_fetch.url: the signature is there, with .p7s behind it";
	}
	if (!c->policy_trust && (c->policy_signers || c->policy_signature))
		return "policy_trust: is needed with policy_signers and policy_signature";
	return NULL;
}

static const struct config_key *key_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool is_object_key(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strncmp(keys[i].name, name, len) && keys[i].name[len] == '.')
			return true;
	return false;
}

/* Returns NULL, or what is wrong with the value. With @c NULL only checks. */
static const char *apply(const struct config_key *k, const cJSON *v, struct config *c)
{
	void *field = c ? (char *)c + k->offset : NULL;
	enum bw_mode mode;

	switch (k->type) {
	case CONFIG_STRING:
		if (!cJSON_IsString(v) || !*v->valuestring)
			return "must be a non-empty string";
		if (c && config_set(field, v->valuestring) < 0)
			return "no memory";
		return NULL;
	case CONFIG_MODE:
		if (!cJSON_IsString(v) || config_mode(v->valuestring, &mode) < 0)
			return "must be \"observe\", \"protect\" or \"enforce\"";
		if (c)
			*(enum bw_mode *)field = mode;
		return NULL;
	case CONFIG_NUMBER:
		if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9007199254740991.0 ||
		    v->valuedouble != (double)(uint64_t)v->valuedouble)
			return "must be a whole number";
		if (c)
			*(uint64_t *)field = (uint64_t)v->valuedouble;
		return NULL;
	case CONFIG_BOOL:
		if (!cJSON_IsBool(v))
			return "must be true or false";
		if (c)
			*(bool *)field = cJSON_IsTrue(v);
		return NULL;
	}
	return "unknown type";
}

static void complain(const char *path, const char *text, size_t len, const char *prefix, const char *key, bool at_key,
		     const char *reason, char *why, size_t why_len)
{
	unsigned int line = 0, col = 0;
	char where[256], field[256];

	snprintf(field, sizeof(field), "%s%s", prefix, key);
	snprintf(where, sizeof(where), "%s%s%s", prefix, at_key ? "!" : "", key);
	if (bw_json_locate(text, len, where, &line, &col))
		snprintf(why, why_len, "%s:%u:%u: %s: %s", path, line, col, field, reason);
	else
		snprintf(why, why_len, "%s: %s: %s", path, field, reason);
}

static void complain_syntax(const char *path, const char *text, const char *at, char *why, size_t why_len)
{
	unsigned int line = 1, col = 1;

	for (const char *p = text; at && p < at; p++) {
		col = *p == '\n' ? 1 : col + 1;
		line += *p == '\n';
	}
	snprintf(why, why_len, "%s:%u:%u: not JSON from here on", path, line, col);
}

struct problem {
	char prefix[32]; /* of the object that it is in: "api." */
	const char *key, *what;
	bool at_key;
};

/* Applies the members of @object, or with @c NULL only checks them. False with @ret on the first problem. */
static bool walk(const cJSON *object, const char *prefix, struct config *c, struct problem *ret)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, object) {
		char name[64], inner[32];
		const struct config_key *k;

		snprintf(name, sizeof(name), "%s%s", prefix, v->string);
		k = key_find(name);
		*ret = (struct problem){ .key = v->string };
		snprintf(ret->prefix, sizeof(ret->prefix), "%s", prefix);
		if (cJSON_GetObjectItemCaseSensitive(object, v->string) != v) {
			ret->what = "given twice";
			ret->at_key = true;
		} else if (k) {
			ret->what = apply(k, v, c);
		} else if (!*prefix && (!strcmp(name, "sinks") || !strcmp(name, "spool") || !strcmp(name, "noise"))) {
			continue; /* sinks_config_parse() */
		} else if (!*prefix && is_object_key(name)) {
			if (!cJSON_IsObject(v)) {
				ret->what = "must be an object";
				return false;
			}
			snprintf(inner, sizeof(inner), "%s.", name);
			if (!walk(v, inner, c, ret))
				return false;
		} else {
			ret->what = "unknown key";
			ret->at_key = true;
		}
		if (ret->what)
			return false;
	}
	return true;
}

static int read_sinks(const char *path, const char *text, size_t len, const cJSON *root, struct sinks_config *ret, char *why, size_t why_len)
{
	char field[128] = "", prefix[128], reason[256] = "no memory";
	bool at_key = false;
	char *dot;
	int r = sinks_config_parse(cJSON_GetObjectItemCaseSensitive(root, "sinks"), cJSON_GetObjectItemCaseSensitive(root, "spool"),
				   cJSON_GetObjectItemCaseSensitive(root, "noise"), ret, field, sizeof(field), &at_key, reason, sizeof(reason));

	if (r >= 0)
		return r;
	dot = strrchr(field, '.');
	snprintf(prefix, sizeof(prefix), "%.*s", dot ? (int)(dot - field) + 1 : 0, field);
	complain(path, text, len, prefix, dot ? dot + 1 : field, at_key, reason, why, why_len);
	return r;
}

/* Takes "noise" out of @root. */
static bool keep_text(cJSON *root, struct config *c)
{
	cJSON *noise = cJSON_DetachItemFromObjectCaseSensitive(root, "noise");
	char *text = noise ? cJSON_PrintUnformatted(noise) : NULL, *others = cJSON_PrintUnformatted(root);
	bool missing = (noise && !text) || !others;

	cJSON_Delete(noise);
	if (missing) {
		cJSON_free(text);
		cJSON_free(others);
		return false;
	}
	cJSON_free(c->noise);
	cJSON_free(c->others);
	c->noise = text;
	c->others = others;
	return true;
}

int config_read(const char *path, struct config *c, char *why, size_t why_len)
{
	_cleanup_free_ char *text = NULL;
	struct sinks_config sinks = { 0 };
	struct problem problem = { 0 };
	const char *end = NULL;
	size_t len = 0;
	cJSON *root;
	int r;

	r = bw_file_read(path, CONFIG_MAX_SIZE, &text, &len);
	if (r < 0) {
		snprintf(why, why_len, "%s: %s", path, strerror(-r));
		return r;
	}
	root = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
	if (!root || !cJSON_IsObject(root)) {
		if (root)
			snprintf(why, why_len, "%s:1:1: must be an object", path);
		else
			complain_syntax(path, text, end, why, why_len);
		cJSON_Delete(root);
		return -EBADMSG;
	}
	if (!walk(root, "", NULL, &problem)) {
		complain(path, text, len, problem.prefix, problem.key, problem.at_key, problem.what, why, why_len);
		r = -EINVAL;
	} else if ((r = read_sinks(path, text, len, root, &sinks, why, why_len)) < 0) {
		/* said */
	} else if (!walk(root, "", c, &problem) || !keep_text(root, c)) {
		snprintf(why, why_len, "%s: no memory", path);
		r = -ENOMEM;
		sinks_config_free(&sinks);
	} else {
		sinks_config_free(&c->sinks);
		c->sinks = sinks;
	}
	cJSON_Delete(root);
	return r;
}
