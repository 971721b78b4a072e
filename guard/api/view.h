/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_VIEW_H
#define BW_GUARD_API_VIEW_H
/*
 * Views of one call: a line for logs, a span for traces. The members are in docs/api.md and rules/schema/api-call-v1.schema.json.
 * (The view of many calls, metrics, is common/api_metrics.h.) Pure.
 */
#include "common/buf.h"
#include "common/json.h"
#include "guard/api/call.h"

struct api_view_context {
	const char *host; /* name of this host */
	int64_t boot_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};

/* Appends one JSON object without a newline. Errors stick to @out. */
void api_view_log(const struct api_view_context *ctx, const struct api_call *call, struct bw_buf *out);
/*
 * One line of OTLP/JSON (an ExportTraceServiceRequest with one span), as OpenTelemetry's file exporter writes it and its
 * collector reads it.
 */
void api_view_span(const struct api_view_context *ctx, const struct api_call *call, struct bw_buf *out);
/*
 * Is this call one of @permille in a thousand? Decided by its trace, so that all calls of a trace are in or out. What failed, has
 * findings or personal data is always in.
 */
bool api_view_sampled(const struct api_call *call, unsigned int permille);

#endif
