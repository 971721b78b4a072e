/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PII_CORPUS_H
#define PII_CORPUS_H
/*
 * Makes payloads of APIs as they go over the wire, and says where in them which personal data is: JSON, forms, XML, headers, GraphQL,
 * protobuf text, multipart, sentences. Between the personal data stand values that only look like it. Everything is made of random
 * numbers: nothing is anybody's. Values with a checksum are drawn until the validator takes them, which test_pii.c tests with
 * published values.
 */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

#define CORPUS_MAX_LABELS 64

struct corpus_label {
	const char *class;
	size_t start, end;
};

struct corpus {
	uint64_t seed;
	struct bw_buf text;
	enum pii_content content;
	struct corpus_label labels[CORPUS_MAX_LABELS];
	unsigned int n_labels;
	unsigned int dense; /* of 100 fields, so many are personal data */
};

static uint32_t corpus_random(struct corpus *c, uint32_t n)
{
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	return (uint32_t)((c->seed * 0x2545f4914f6cdd1dull) >> 33) % n;
}

#define CORPUS_PICK(c, list) ((list)[corpus_random(c, ARRAY_SIZE(list))])

static const char *const corpus_first[] = { "Jane", "John", "Maria", "Wei", "Aisha", "Pedro", "Ingrid", "Yuki", "Olu", "Zoë", "Anne-Marie", "Siobhán", "Raj", "Fatima" };
static const char *const corpus_last[] = { "Roe", "Smith", "García", "O'Brien", "Müller", "Nakamura", "Okafor", "Lindqvist", "Rossi", "Kowalski", "Patel", "van Dijk" };
static const char *const corpus_word[] = { "steel", "blue", "widget", "report", "alpha", "status", "garden", "cable", "monthly", "sensor", "paper", "bolt", "value", "window" };
static const char *const corpus_street[] = { "Main St", "Oak Avenue", "Station Road", "Elm Street", "Park Lane", "High Street", "Mill Road" };
static const char *const corpus_host[] = { "example.com", "example.org", "mail.example.net", "example.co.uk" };

/*
 * \d digit, \D 1 to 9, \u upper, \l lower, \h hexadecimal, \m letters and digits, \B base32, \y year, \M month, \k day;
 * {n} repeats. %f %l %w %s %o: words from the lists above.
 */
static void corpus_expand(struct corpus *c, const char *t, char *out, size_t size)
{
	static const char alnum[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = 0;

	while (*t && n + 24 < size) {
		unsigned int times = 1;
		char kind;

		if (*t != '\\' && *t != '%') {
			out[n++] = *t++;
			continue;
		}
		kind = *t == '%' ? (char)(t[1] - 32) : t[1];
		if (*t == '%') {
			const char *w = t[1] == 'f' ? CORPUS_PICK(c, corpus_first) : t[1] == 'l' ? CORPUS_PICK(c, corpus_last) :
					t[1] == 'w' ? CORPUS_PICK(c, corpus_word)  : t[1] == 's' ? CORPUS_PICK(c, corpus_street) :
											 CORPUS_PICK(c, corpus_host);
			n += (size_t)snprintf(out + n, size - n, "%s", w);
			t += 2;
			continue;
		}
		t += 2;
		if (*t == '{') {
			times = (unsigned int)strtoul(t + 1, NULL, 10);
			t = strchr(t, '}') + 1;
		}
		for (; times && n + 24 < size; times--)
			switch (kind) {
			case 'd': out[n++] = (char)('0' + corpus_random(c, 10)); break;
			case 'D': out[n++] = (char)('1' + corpus_random(c, 9)); break;
			case 'u': out[n++] = (char)('A' + corpus_random(c, 26)); break;
			case 'l': out[n++] = (char)('a' + corpus_random(c, 26)); break;
			case 'h': out[n++] = alnum[corpus_random(c, 16)]; break;
			case 'm': out[n++] = alnum[corpus_random(c, 62)]; break;
			case 'B': out[n++] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[corpus_random(c, 32)]; break;
			case 'y': n += (size_t)snprintf(out + n, size - n, "%02u", 40 + corpus_random(c, 60)); break;
			case 'M': n += (size_t)snprintf(out + n, size - n, "%02u", 1 + corpus_random(c, 12)); break;
			case 'k': n += (size_t)snprintf(out + n, size - n, "%02u", 1 + corpus_random(c, 28)); break;
			case 'o': n += (size_t)snprintf(out + n, size - n, "%u", 1 + corpus_random(c, 223)); break;
			case 'q': n += (size_t)snprintf(out + n, size - n, "%u", 2 + corpus_random(c, 8)); break;
			}
	}
	out[n] = 0;
}

struct corpus_kind {
	const char *class; /* NULL: it only looks like it */
	const char *names; /* of its fields */
	const char *forms; /* templates */
	const char *validator;
	bool sentence; /* recognisable in a sentence with its name before it */
};

static const struct corpus_kind corpus_kinds[] = {
	{ "email", "email|contact|user|e_mail|reply_to|login|from|customer_email|work_email", "%w.\\l{5}@%o|\\l{4}\\d{2}@%o|\\l{3}_\\l{4}+tag@%o", "email", true },
	{ "phone", "phone|mobile|phone_number|contact_phone|tel|home_phone|fax|value|recipient", "+1 (\\q12) \\q45-\\d{4}|+1-\\q12-\\q45-\\d{4}|+44 20 \\d{4} \\d{4}|+49 30 \\D\\d{6}|+33 6 \\d{2} \\d{2} \\d{2} \\d{2}|+91 9\\d{4} \\d{5}", "phone", true },
	{ "phone", "phone|mobile|phone_number|mobile_number|tel|cell", "(\\q12) \\q45-\\d{4}|\\q12-\\q45-\\d{4}|\\q12.\\q45.\\d{4}|\\q13\\q46\\d{4}", "phone-national", true },
	{ "person-name", "first_name|given_name|cardholder_name|full_name|customer_name|contact_name|patient_name|last_name|surname|account_holder", "%f|%f %l", "person-name", false },
	{ "postal-address", "street|address|billing_address|street_address|address_line_1|shipping_address|home_address", "\\D\\d %s|\\D\\d{2} %s, Apt \\D|%s \\D\\d", "address", false },
	{ "postal-address", "zip|postal_code|postcode|zip_code|billing_zip", "\\D\\d{4}|\\D\\d{4}-\\d{4}|SW\\DA \\D\\u\\u", "postcode", false },
	{ "birth-date", "dob|birth_date|date_of_birth|birthday|customer_dob", "19\\y-\\M-\\k|\\k.\\M.19\\y|\\M/\\k/19\\y", "day", false },
	{ "ip-address", "ip|client_ip|remote_addr|x_forwarded_for|source_ip|peer|last_login_ip|origin", "\\o.\\o.\\o.\\o|2001:db8:\\h{4}:\\h{4}::\\D\\h{2}", NULL, true },
	{ "mac-address", "mac|mac_address|device|bssid|hardware_address", "0\\d:\\h{2}:\\h{2}:\\h{2}:\\h{2}:\\h{2}|0\\d-\\h{2}-\\h{2}-\\h{2}-\\h{2}-\\h{2}", "mac", true },
	{ "geolocation", "lat|latitude|lng|longitude|lon|home_lat", "\\D\\d.\\d{5}|-\\D\\d.\\d{6}", "coordinate", false },
	{ "passport", "passport|passport_number|passport_no", "\\u\\d{8}|\\d{9}|\\u\\d{2}\\u\\d{5}", "passport", false },
	{ "driver-licence", "driver_license|drivers_license|license_number|driving_licence_number", "\\u\\d{7}|\\u\\d{3}-\\d{4}-\\d{4}", "document", false },
	{ "card", "card_number|pan|card|cc_number|number|payment_method|credit_card|source", "4\\d{15}|5\\d{15}|37\\d{13}|4\\d{3} \\d{4} \\d{4} \\d{4}|5\\d{3}-\\d{4}-\\d{4}-\\d{4}|6011\\d{12}|22\\d{14}|3\\d{3} \\d{6} \\d{5}", "card", true },
	{ "card-cvv", "cvv|cvc|security_code|card_cvv|cvc_code", "\\d{3}|\\d{4}", "cvv", false },
	{ "iban", "iban|account_iban|bank_account|account|payout", "DE\\d{20}|GB\\d{2}\\u{4}\\d{14}|FR\\d{25}|NL\\d{2}\\u{4}\\d{10}|ES\\d{22}|DE\\d{2} \\d{4} \\d{4} \\d{4} \\d{4} \\d{2}|gb\\d{2}\\l{4}\\d{14}", "iban", true },
	{ "bank-account", "routing_number|aba", "\\d{9}", "aba", false },
	{ "bank-account", "account_number|bank_account_number|account_no", "\\D\\d{7}|\\D\\d{9}", "account", false },
	{ "us-ssn", "ssn|social_security_number|applicant_ssn|social", "\\d{3}-\\d{2}-\\d{4}|\\d{9}", "us-ssn", true },
	{ "in-aadhaar", "aadhaar|aadhaar_number|uidai", "\\D\\d{3} \\d{4} \\d{4}|\\D\\d{11}", "in-aadhaar", true },
	{ "in-pan", "pan_number|pan_card|permanent_account_number", "\\u{3}P\\u\\d{4}\\u", "in-pan", false },
	{ "uk-nino", "nino|national_insurance_number|ni_number", "\\u{2}\\d{6}A|\\u{2} \\d{2} \\d{2} \\d{2} C", "uk-nino", true },
	{ "uk-nhs", "nhs_number|nhs", "\\d{10}|\\d{3} \\d{3} \\d{4}", "uk-nhs", true },
	{ "de-tax-id", "steuer_id|idnr|steueridentifikationsnummer", "\\D\\d{10}", "de-tax", true },
	{ "fr-nir", "nir|numero_securite_sociale|insee", "1\\y\\M75\\d{8}|2 \\y \\M 33 \\d{3} \\d{3} \\d{2}", "fr-nir", true },
	{ "es-dni", "dni|nif|nie", "\\d{8}\\u|X\\d{7}\\u", "es-dni", true },
	{ "it-codice-fiscale", "codice_fiscale|fiscal_code|cf", "\\u{6}\\yA\\k\\u\\d{3}\\u", "it-cf", true },
	{ "nl-bsn", "bsn|burgerservicenummer", "\\D\\d{8}", "nl-bsn", true },
	{ "be-national-number", "rijksregisternummer|national_number|niss", "\\y\\M\\k\\d{5}|\\y.\\M.\\k-\\d{3}.\\d{2}", "be-nn", true },
	{ "pl-pesel", "pesel|numer_pesel", "\\y\\M\\k\\d{5}", "pl-pesel", true },
	{ "se-personnummer", "personnummer|personal_identity_number", "\\y\\M\\k-\\d{4}|19\\y\\M\\k\\d{4}", "se-pnr", true },
	{ "fi-hetu", "hetu|henkilotunnus", "\\k\\M\\y-\\d{3}\\u|\\k\\M\\y-\\d{4}", "fi-hetu", true },
	{ "dk-cpr", "cpr|cpr_number", "\\k\\M\\y-\\d{4}|\\k\\M\\y\\d{4}", "dk-cpr", true },
	{ "no-fodselsnummer", "fodselsnummer|fnr", "\\k\\M\\y\\d{5}", "no-fnr", true },
	{ "pt-nif", "contribuinte|numero_contribuinte", "2\\d{8}", "pt-nif", true },
	{ "br-cpf", "cpf|numero_cpf|documento", "\\d{3}.\\d{3}.\\d{3}-\\d{2}|\\d{11}", "br-cpf", true },
	{ "br-cnpj", "cnpj|numero_cnpj", "\\d{2}.\\d{3}.\\d{3}/0001-\\d{2}|\\d{8}0001\\d{2}", "br-cnpj", true },
	{ "ca-sin", "sin|social_insurance_number", "\\D\\d{2} \\d{3} \\d{3}|\\D\\d{8}", "ca-sin", true },
	{ "au-tfn", "tfn|tax_file_number", "\\d{3} \\d{3} \\d{3}|\\D\\d{8}", "au-tfn", true },
	{ "au-medicare", "medicare_number|medicare", "\\D\\d{9}|\\D\\d{3} \\d{5} \\d", "au-medicare", true },
	{ "cn-resident-id", "id_card|resident_id|id_number|value", "11010519\\y\\M\\k\\d{4}|31011519\\y\\M\\k\\d{3}X", "cn-id", true },
	{ "kr-rrn", "rrn|resident_registration_number", "\\y\\M\\k-\\D\\d{6}|\\y\\M\\k\\D\\d{6}", "kr-rrn", true },
	{ "jp-my-number", "my_number|individual_number", "\\d{12}|\\d{4} \\d{4} \\d{4}|\\d{4}-\\d{4}-\\d{4}", "jp-my-number", true },
	{ "sg-nric", "nric|fin|nric_number|holder", "S\\d{7}\\u|G\\d{7}\\u", "sg-nric", true },
	{ "za-id", "sa_id|sa_id_number|identity_number", "\\y\\M\\k\\d{4}08\\d", "za-id", true },
	{ "mx-curp", "curp|holder", "\\u{4}\\y\\M\\kH\\u{5}\\d{2}", "mx-curp", true },
	{ "tr-tckn", "tckn|tc_kimlik_no|kimlik", "\\D\\d{10}", "tr-tckn", true },
	{ "ch-ahv", "ahv|ahv_number|holder", "756.\\d{4}.\\d{4}.\\d{2}|756\\d{10}", "ch-ahv", true },
	{ "ie-pps", "pps_number|ppsn", "\\d{7}\\u|\\d{7}\\uA", "ie-pps", false },
	{ "health", "diagnosis_code|icd_code|icd10|diagnosis", "E\\d{2}.\\d|J\\d{2}|F\\d{2}.\\d{2}", "icd10", false },
	{ "health", "diagnosis|medication|blood_type|allergies|medical_condition", "Type 2 diabetes|Metformin 500mg|AB+|penicillin|asthma", "label", false },
	{ "medical-record", "mrn|patient_id|medical_record_number|member_id", "\\d{8}|MRN-\\d{7}|\\u{2}\\d{7}", "record-number", false },
	{ "jwt", "id_token|assertion|jwt|access_token", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ\\m{40}.\\m{43}", "jwt", true },
	{ "api-key", "key|github|value|note|slack|credential_value", "ghp_\\m{36}|xoxb-\\d{10}-\\m{24}|sk_live_\\m{24}|glpat-\\m{20}|npm_\\m{36}|SG.\\m{22}.\\m{43}", "key", true },
	{ "cloud-key", "aws_key|value|key_id|note", "AKIA\\B{16}|AIza\\m{35}|ASIA\\B{16}", "key", true },
	{ "password", "password|passwd|new_password|user_password|pwd", "\\l{6}\\d{2}|\\m{10}|correct horse \\l{5}", "password", false },
	{ "session-cookie", "session_id|sid|phpsessid|jsessionid|session_token", "\\h{32}|\\m{26}", "session", false },
	{ "token", "api_key|client_secret|access_token|x_api_key|secret_key|auth_token|webhook_secret", "\\m{32}|\\h{40}", "token", false },
	{ "private-key", "private_key|key|pem", "-----BEGIN PRIVATE KEY----- \\m{60} \\m{60} -----END PRIVATE KEY-----", NULL, true },
	{ "bearer-token", "authorization|auth", "Bearer \\m{32}", NULL, false },
	{ "basic-auth", "authorization|auth|proxy_authorization", "Basic dXNlc\\D\\D6c2Vjcm\\m", "basic", false },

	/* what only looks like it */
	{ NULL, "created_at|timestamp|updated|ts|epoch|iat|exp", "17\\d{8}|17\\d{11}|17\\d{14}", NULL, true },
	{ NULL, "id|snowflake|message_id|tweet_id|item_id", "1\\d{17}|1\\d{18}|\\D\\d{15}|\\D\\d{8}", NULL, false },
	{ NULL, "order_id|order_number|invoice_number|transaction_id|reference", "4\\d{15}|\\d{9}|\\d{12}|ORD-\\d{8}|INV\\d{10}|5\\d{15}", NULL, false },
	{ NULL, "order_id|order_number|invoice|transaction_id", "4\\d{15}|5\\d{15}", "card", false },
	{ NULL, "tracking_number|tracking|parcel_id|shipment_id", "1Z\\d{3}AA\\d{10}|94\\d{20}|\\d{12}|JD\\d{18}|\\d{11}", NULL, false },
	{ NULL, "sha|etag|checksum|commit|digest|md5", "\\h{40}|\\h{64}|\\h{32}|W/\\h{20}", NULL, true },
	{ NULL, "version|app_version|firmware_version|build", "\\D.\\d.\\d.\\d|\\D.\\D\\d.\\d|10.0.\\D\\d{3}.\\d|v\\D.\\d.\\d.\\D", NULL, true },
	{ NULL, "uuid|request_id|trace_id|correlation_id|id|device_id", "\\h{8}-\\h{4}-4\\h{3}-a\\h{3}-\\h{12}|\\d{8}-\\d{4}-4\\d{3}-8\\d{3}-\\d{12}|01\\B{24}", NULL, true },
	{ NULL, "sku|part_number|model|product_code|coupon", "SKU-\\d{6}|\\u{2}\\d{6}\\u|\\u\\d{7}\\u|\\d{3}-\\d{2}-\\d{4}|\\d{13}|\\u{3}P\\u\\d{4}\\u", NULL, false },
	{ NULL, "ean|isbn|upc|gtin|barcode", "97\\d{11}|\\d{13}|\\d{12}|\\d{3}-\\d-\\d{3}-\\d{5}-\\d", NULL, false },
	{ NULL, "price|total|amount|rate|weight|latency", "\\D\\d.\\d{2}|\\d.\\d{4}|\\D\\d{5}.\\d{2}", NULL, false },
	{ NULL, "count|size|bytes|offset|duration_ns|total_count", "\\D\\d{8}|\\D\\d{10}|\\D\\d{5}|\\D\\d{14}", NULL, false },
	{ NULL, "date|expires|start|end_date|valid_until|modified", "2025-\\M-\\k|2025-\\M-\\kT10:\\M:\\kZ|2025-\\M-\\k 10:\\M:\\k", NULL, true },
	{ NULL, "name|title|label|product_name|company_name|display|host_name|file_name", "%w %w|Steel Bolt|Blue Widget|Acme Corp|%w.pdf", NULL, false },
	{ NULL, "email_verified|phone_verified|has_address|password_set|card_present|is_patient", "true|false", NULL, false },
	{ NULL, "token_type|auth_scheme|card_type|address_type|phone_type|gender_code|ip_version", "bearer|visa|home|mobile|4|basic", NULL, false },
	{ NULL, "next_page_token|cursor|page_token|continuation_token|idempotency_key|nonce", "\\m{32}|\\h{24}", NULL, false },
	{ NULL, "image|icon|path|href|user_agent|url", "icon@2x.png|/static/%w-\\h{8}.js|/v1/items/\\d{9}|Mozilla/5.0 Chrome/120.0.\\D\\d{3}.1\\d{2} Safari/537.36|data:image/png;base64,iVBORw0KGgo\\m{40}", NULL, false },
	{ NULL, "message|description|comment|note|text", "%w %w %w, %w \\D\\d{4} %w|order #\\d{9} shipped|see section \\D.\\D.\\D.\\D|ratio 16:9 at 10:\\M:\\k|please call support", NULL, true },
	{ NULL, "password_reset_url|password_changed_at|address_id|card_id|email_template|session_count", "/reset/\\D|2025-\\M-\\kT10:\\M:\\kZ|\\D\\d{4}|card_\\m{24}|welcome", NULL, false },
};

/* One of "a|b|c". */
static void corpus_choose(struct corpus *c, const char *list, char *out, size_t size)
{
	unsigned int n = 1, at;

	for (const char *p = list; *p; p++)
		n += *p == '|';
	for (at = corpus_random(c, n); at; at--)
		list = strchr(list, '|') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(list, "|"), list);
}

static void corpus_value(struct corpus *c, const struct corpus_kind *k, char *out, size_t size)
{
	pii_validate_fn valid = k->validator ? pii_validator(k->validator) : NULL;

	for (unsigned int tries = 0; tries < 20000; tries++) {
		struct pii_value v;
		char form[200];

		corpus_choose(c, k->forms, form, sizeof(form));
		corpus_expand(c, form, out, size);
		v = (struct pii_value){ bw_slice(out, strlen(out)), 0, strlen(out) };
		if (!valid || valid(&v))
			return;
	}
	abort();
}

/* first_name, firstName, FirstName, first-name, FIRST_NAME */
static void corpus_style(struct corpus *c, unsigned int style, char *name)
{
	size_t n = 0;
	bool up = style == 2;

	for (const char *p = name; *p; p++) {
		char ch = *p;

		if (ch == '_' && (style == 1 || style == 2)) {
			up = true;
			continue;
		}
		if (ch == '_' && style == 3)
			ch = '-';
		if (((up && style < 3) || style == 4) && ch >= 'a' && ch <= 'z')
			ch -= 32;
		up = false;
		name[n++] = ch;
	}
	name[n] = 0;
}

enum corpus_format { CORPUS_JSON, CORPUS_FORM, CORPUS_XML, CORPUS_HEADERS, CORPUS_GRAPHQL, CORPUS_PROTOBUF, CORPUS_MULTIPART, CORPUS_TEXT, CORPUS_BASE64, CORPUS_FORMATS };

static void corpus_put_url(struct bw_buf *b, const char *s)
{
	for (; *s; s++)
		if (pii_alnum((uint8_t)*s) || strchr("-._~", *s))
			bw_buf_char(b, *s);
		else if (*s == ' ')
			bw_buf_char(b, '+');
		else
			bw_buf_printf(b, "%%%02X", (unsigned char)*s);
}

static void corpus_label(struct corpus *c, const char *class, size_t start)
{
	if (class && c->n_labels < CORPUS_MAX_LABELS)
		c->labels[c->n_labels++] = (struct corpus_label){ class, start, c->text.len };
}

static bool corpus_bare(const char *s)
{
	return !strcmp(s, "true") || !strcmp(s, "false");
}

static void corpus_field(struct corpus *c, enum corpus_format f, const struct corpus_kind *k, const char *name, const char *value, bool first)
{
	struct bw_buf *b = &c->text;
	char words[80];
	size_t start;

	switch (f) {
	case CORPUS_JSON:
		bw_buf_printf(b, "%s\"%s\":%s%s", first ? "" : ",", name, corpus_random(c, 2) ? " " : "", corpus_bare(value) ? "" : "\"");
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, corpus_bare(value) ? "" : "\"");
		break;
	case CORPUS_FORM:
		bw_buf_printf(b, "%s%s=", first ? "" : "&", name);
		start = b->len;
		corpus_put_url(b, value);
		corpus_label(c, k->class, start);
		break;
	case CORPUS_XML:
		bw_buf_printf(b, "<%s>", name);
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_printf(b, "</%s>%s", name, corpus_random(c, 2) ? "\n  " : "");
		break;
	case CORPUS_HEADERS:
		bw_buf_printf(b, "X-%s: ", name);
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, "\r\n");
		break;
	case CORPUS_GRAPHQL:
		bw_buf_printf(b, "%s%s: \\\"", first ? "" : ", ", name);
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, "\\\"");
		break;
	case CORPUS_PROTOBUF:
		bw_buf_printf(b, "  %s: \"", name);
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, "\"\n");
		break;
	case CORPUS_MULTIPART:
		bw_buf_printf(b, "--XBOUND\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", name);
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, "\r\n");
		break;
	case CORPUS_TEXT:
		snprintf(words, sizeof(words), "%s", name);
		for (char *p = words; *p; p++)
			if (*p == '_')
				*p = ' ';
		bw_buf_printf(b, "%s %s %s ", corpus_random(c, 2) ? "My" : "The", words, corpus_random(c, 2) ? "is" : "was");
		start = b->len;
		bw_buf_str(b, value);
		corpus_label(c, k->class, start);
		bw_buf_str(b, corpus_random(c, 2) ? ". " : ", ok. ");
		break;
	default:
		break;
	}
}

static const struct corpus_kind *corpus_kind(struct corpus *c, enum corpus_format f)
{
	for (;;) {
		const struct corpus_kind *k = &CORPUS_PICK(c, corpus_kinds);

		if ((corpus_random(c, 100) < c->dense) != !!k->class)
			continue;
		if (f == CORPUS_TEXT && !k->sentence)
			continue;
		return k;
	}
}

static void corpus_base64(struct bw_buf *out, const char *p, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)p[i] << 16 | (i + 1 < n ? (uint32_t)(uint8_t)p[i + 1] << 8 : 0) | (i + 2 < n ? (uint8_t)p[i + 2] : 0);

		bw_buf_char(out, set[v >> 18]);
		bw_buf_char(out, set[v >> 12 & 63]);
		bw_buf_char(out, i + 1 < n ? set[v >> 6 & 63] : '=');
		bw_buf_char(out, i + 2 < n ? set[v & 63] : '=');
	}
}

/* The next payload: text, what it is, labels. */
static void corpus_next(struct corpus *c)
{
	static const enum pii_content contents[] = { PII_CONTENT_JSON,	 PII_CONTENT_FORM,	PII_CONTENT_XML,  PII_CONTENT_HEADERS, PII_CONTENT_JSON,
						     PII_CONTENT_BINARY, PII_CONTENT_MULTIPART, PII_CONTENT_TEXT, PII_CONTENT_JSON };
	enum corpus_format f = corpus_random(c, 3) ? CORPUS_JSON : (enum corpus_format)corpus_random(c, CORPUS_FORMATS), inner = f;
	unsigned int n = 3 + corpus_random(c, 8), style = corpus_random(c, 5), open = 0;
	struct bw_buf *b = &c->text, encoded = { 0 };
	static const char *const objects[] = { "item", "details", "data", "payload", "entry" };

	bw_buf_reset(b);
	c->n_labels = 0;
	c->content = contents[f];
	if (f == CORPUS_BASE64)
		inner = CORPUS_JSON;
	if (inner == CORPUS_JSON)
		bw_buf_char(b, '{');
	else if (f == CORPUS_XML)
		bw_buf_str(b, "<?xml version=\"1.0\"?>\n<Request>");
	else if (f == CORPUS_HEADERS)
		bw_buf_str(b, "Host: api.example.com\r\nAccept: */*\r\nUser-Agent: client/1.4.2.1\r\n");
	else if (f == CORPUS_GRAPHQL)
		bw_buf_str(b, "{\"operationName\":\"Save\",\"query\":\"mutation { save(input: {");
	else if (f == CORPUS_PROTOBUF)
		bw_buf_str(b, "record {\n");
	for (unsigned int i = 0; i < n; i++) {
		const struct corpus_kind *k = corpus_kind(c, f);
		char name[80], value[300];
		bool first = !i;

		if (inner == CORPUS_JSON && i && !open && !corpus_random(c, 4)) { /* a nested object */
			bw_buf_printf(b, ",\"%s\":{", CORPUS_PICK(c, objects));
			open = 1;
			first = true;
		}
		corpus_choose(c, k->names, name, sizeof(name));
		if (f != CORPUS_TEXT)
			corpus_style(c, f == CORPUS_GRAPHQL ? 1 : f == CORPUS_HEADERS ? 3 : style, name);
		corpus_value(c, k, value, sizeof(value));
		corpus_field(c, inner, k, name, value, first);
		if (k->class && (!strcmp(k->class, "bearer-token") || !strcmp(k->class, "basic-auth")))
			c->labels[c->n_labels - 1].start += k->class[1] == 'e' ? 7 : 6;
		if (open && !corpus_random(c, 3)) {
			bw_buf_char(b, '}');
			open = 0;
		}
	}
	if (open)
		bw_buf_char(b, '}');
	if (inner == CORPUS_JSON)
		bw_buf_char(b, '}');
	else if (f == CORPUS_XML)
		bw_buf_str(b, "</Request>");
	else if (f == CORPUS_GRAPHQL)
		bw_buf_str(b, "}) { id } }\",\"variables\":null}");
	else if (f == CORPUS_PROTOBUF)
		bw_buf_str(b, "}\n");
	else if (f == CORPUS_MULTIPART)
		bw_buf_str(b, "--XBOUND--\r\n");
	if (f == CORPUS_BASE64) {
		bw_buf_str(&encoded, "{\"v\":1,\"blob\":\"");
		corpus_base64(&encoded, b->data, b->len);
		for (unsigned int i = 0; i < c->n_labels; i++) {
			c->labels[i].start = strlen("{\"v\":1,\"blob\":\"");
			c->labels[i].end = encoded.len;
		}
		bw_buf_str(&encoded, "\"}");
		bw_buf_reset(b);
		bw_buf_append(b, encoded.data, encoded.len);
		bw_buf_free(&encoded);
	}
}

#endif
