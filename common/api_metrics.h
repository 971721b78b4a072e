/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_API_METRICS_H
#define BW_API_METRICS_H
/* Metrics of a catalogue: rate, errors and duration per endpoint, personal data, findings, losses. Names are in docs/api.md. Pure. */
#include "common/api_store.h"
#include "common/buf.h"

/* Prometheus' text format 0.0.4. Errors stick to @out. */
void api_metrics_prometheus(const struct api_data *d, struct bw_buf *out);
/* OTLP/JSON (an ExportMetricsServiceRequest); @now_ns is the time of the points. */
void api_metrics_otlp(const struct api_data *d, int64_t now_ns, const char *node, struct bw_buf *out);

#endif
