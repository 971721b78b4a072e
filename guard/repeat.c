// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/repeat.h"

#include <string.h>

static bool same(const struct repeat_slot *s, const struct decode_event *e)
{
	const struct decode_load *l = &e->load;

	return s->first_seq && s->tgid == e->actor.tgid && s->start_ns == e->actor.start_ns &&
	       s->generation == l->generation && s->prog_type == l->prog_type && s->identity == l->identity &&
	       s->reason == l->reason && s->action == l->action && !memcmp(s->digest, l->digest, BW_DIGEST_LEN) &&
	       !strcmp(s->name, l->name);
}

uint64_t repeat_find(struct repeat *r, const struct decode_event *e, uint64_t seq)
{
	const struct decode_load *l = &e->load;
	struct repeat_slot *s;

	if (e->type != BW_EVENT_LOAD || l->identity == BW_IDENTITY_NONE)
		return 0;
	for (unsigned int i = 0; i < REPEAT_SLOTS; i++) {
		s = &r->slots[i];
		/* The rings are read one after the other: an older record may come later. */
		if (!same(s, e) || e->time_ns > s->time_ns + REPEAT_WINDOW_NS)
			continue;
		if (e->time_ns > s->time_ns)
			s->time_ns = e->time_ns;
		return s->first_seq;
	}
	s = &r->slots[r->next++ % REPEAT_SLOTS];
	*s = (struct repeat_slot){
		.first_seq = seq,
		.time_ns = e->time_ns,
		.start_ns = e->actor.start_ns,
		.generation = l->generation,
		.tgid = e->actor.tgid,
		.prog_type = l->prog_type,
		.identity = l->identity,
		.reason = l->reason,
		.action = l->action,
	};
	memcpy(s->digest, l->digest, BW_DIGEST_LEN);
	memcpy(s->name, l->name, sizeof(s->name));
	return 0;
}
