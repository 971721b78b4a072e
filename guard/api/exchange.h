/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_EXCHANGE_H
#define BW_GUARD_API_EXCHANGE_H
/*
 * A call while it is being put together: its record, the memory behind the record, and the bodies until they were looked at. All memory is
 * the engine's budget; what is refused leaves a flag. Pure.
 */
#include "common/slice.h"
#include "guard/api/budget.h"
#include "guard/api/call.h"
#include "guard/api/grpc.h"

struct exchange_block;

enum exchange_side {
	EXCHANGE_REQUEST,
	EXCHANGE_RESPONSE,
	EXCHANGE_SIDES
};

struct exchange_body {
	uint8_t *data; /* owned */
	size_t len, cap;
	bool cut;    /* more bytes came than are kept */
	bool broken; /* a hole: what comes behind it is not kept */
};

struct exchange {
	struct api_call call;
	struct exchange *next; /* the engine's list */
	struct exchange_body body[EXCHANGE_SIDES];
	uint64_t content_length[EXCHANGE_SIDES]; /* UINT64_MAX: not said */
	bool begun[EXCHANGE_SIDES], done[EXCHANGE_SIDES];
	struct grpc_reader *grpc[EXCHANGE_SIDES]; /* owned; NULL: not gRPC */
	const char *boundary[EXCHANGE_SIDES];	  /* of a multipart body; "" */
	bool head_request;
	uint64_t waiting_ns; /* since when it waits for what is missing */

	/* memory */
	struct api_budget *budget;
	struct exchange_block *blocks;
	size_t memory;	     /* of it, all counted in the budget */
	uint32_t *name_hash; /* of the fields, for finding one again */
	uint32_t fields_cap, pii_cap, extracted_cap;
};

/* NULL: no memory. */
struct exchange *exchange_new(struct api_budget *budget);
void exchange_free(struct exchange *x);

/* A copy that lives as long as the exchange, cut to @max bytes; "" and API_CALL_LIMIT when there is no room. Control characters become '?'. */
const char *exchange_text(struct exchange *x, struct bw_slice s, size_t max);
/* The same in lower case. */
const char *exchange_text_lower(struct exchange *x, struct bw_slice s, size_t max);

/* A name at a place; the types of one that is there already are joined. */
void exchange_field(struct exchange *x, enum api_place place, const char *name, uint32_t types);
/* One more hit of a class at a place. */
void exchange_pii(struct exchange *x, enum api_place place, const char *name, uint16_t class_id, const char *class_name, uint64_t hash);
/* Begins to count gRPC messages of a side. */
void exchange_grpc(struct exchange *x, enum exchange_side side);
void exchange_extracted(struct exchange *x, const char *name, struct bw_slice value);

/* More of a body; at most @max bytes are kept in all. */
void exchange_body_add(struct exchange *x, enum exchange_side side, struct bw_slice data, size_t max);
/* @n bytes of a body are missing here. */
void exchange_body_gap(struct exchange *x, enum exchange_side side, uint64_t n);
void exchange_body_free(struct exchange *x, enum exchange_side side);

static inline struct api_message *exchange_message(struct exchange *x, enum exchange_side side)
{
	return side == EXCHANGE_REQUEST ? &x->call.request : &x->call.response;
}

#endif
