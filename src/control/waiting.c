/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
waiting_clear(struct waiting *w)
{
	free(w->jobs);
	memset(w, 0, sizeof(*w));
}

void
waiting_add(struct waiting *w, uint32_t job, uint64_t due_ms)
{
	size_t i = w->count++, parent;

	if (w->count > w->size) {
		w->size = 2 * w->count;
		w->jobs = xreallocarray(w->jobs, w->size, sizeof(*w->jobs));
	}
	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (w->jobs[parent].due_ms <= due_ms)
			break;
		w->jobs[i] = w->jobs[parent];
	}
	w->jobs[i] = (struct waiting_job){due_ms, job};
}

uint64_t
waiting_due_ms(const struct waiting *w)
{
	return w->count > 0 ? w->jobs[0].due_ms : UINT64_MAX;
}

uint32_t
waiting_take(struct waiting *w, uint64_t now_ms)
{
	struct waiting_job last;
	size_t i = 0, child;
	uint32_t job;

	if (waiting_due_ms(w) > now_ms || w->count == 0)
		return WAITING_NO_JOB;
	job = w->jobs[0].job;
	last = w->jobs[--w->count];
	while ((child = 2 * i + 1) < w->count) {
		if (child + 1 < w->count &&
		    w->jobs[child + 1].due_ms < w->jobs[child].due_ms)
			child++;
		if (last.due_ms <= w->jobs[child].due_ms)
			break;
		w->jobs[i] = w->jobs[child];
		i = child;
	}
	w->jobs[i] = last;
	return job;
}
