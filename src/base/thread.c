#include "base/thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr of linux/sched/types.h, which does not go together with
 * glibc's sched.h. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

void
thread_set_slice(int64_t slice_us)
{
	struct attributes attributes = {
		.size = sizeof(attributes),
		.policy = SCHED_OTHER,
		.nice = getpriority(PRIO_PROCESS, 0),
		.runtime_ns = (uint64_t)slice_us * 1000,
	};

	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

unsigned
thread_default_count(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors >= 4 ? (unsigned)(processors / 2) : 1;
}
