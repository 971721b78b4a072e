// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a signature, on a policy that nobody has signed with a key that is trusted: never accepted, no crash. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/policy_sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 ...; the key is gone */
static const char trusted[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBizCCATGgAwIBAgIUBDZC6byguuT2QBWS4Z11FFe6qtUwCgYIKoZIzj0EAwIw\n"
	"EjEQMA4GA1UEAwwHdHJ1c3RlZDAgFw0yNjExMjIwNTAzMDlaGA8yMDUxMDcxNDA1\n"
	"MDMwOVowEjEQMA4GA1UEAwwHdHJ1c3RlZDBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABKW/wqGze9LPuzW1BeebUz+9x8YSqYrfgGJ/X/gDIQex5XPqTdtbqfhBfJQc\n"
	"pw5OFB4brbc4YzzPXooRBGOzUxyjYzBhMB0GA1UdDgQWBBRnDSPa59TRr1eW+YvJ\n"
	"jGrRoWx7ZjAfBgNVHSMEGDAWgBRnDSPa59TRr1eW+YvJjGrRoWx7ZjAPBgNVHRMB\n"
	"Af8EBTADAQH/MA4GA1UdDwEB/wQEAwIHgDAKBggqhkjOPQQDAgNIADBFAiEAzD6C\n"
	"C3pagZelZwL+mjfkbpdItz8leRNXL28YXd7ho7wCID/cTax/8+oVEnGzXawrJGMz\n"
	"zlhb7H8A/7JkUdkc2gOc\n"
	"-----END CERTIFICATE-----\n";
static const char policy[] = "{\"version\":1,\"serial\":7}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_signature_state state = { .serial = 7 };
	struct bw_signature_result r;

	if (!bw_policy_verify(bw_slice(policy, strlen(policy)), bw_slice(data, size), bw_slice(trusted, strlen(trusted)),
			      1800000000, 1, &state, &r))
		assert(r.verdict != BW_SIGNATURE_OK && r.detail[0]);
	bw_signature_state_read((const char *)data, size, &state);
	return 0;
}
