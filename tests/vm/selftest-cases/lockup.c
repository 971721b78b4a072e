// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the test "lockup": one real-time loop per processor. */
#include <sched.h>
#include <unistd.h>

int main(void)
{
	struct sched_param top = { .sched_priority = 99 };

	for (long n = sysconf(_SC_NPROCESSORS_ONLN); n > 1; n--) {
		if (fork() == 0)
			break;
	}
	if (sched_setscheduler(0, SCHED_FIFO, &top))
		return 1;
	for (;;)
		;
}
