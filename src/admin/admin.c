#include "admin/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "admin/internal.h"

static void
on_drain(evutil_socket_t fd, short what, void *context)
{
	struct admin *admin = context;

	(void)fd;
	(void)what;
	admin->stages.drain(admin->stages.context);
}

int
admin_open(struct admin **ret, struct event_base *base,
    const struct admin_config *config, const struct admin_stages *stages,
    struct err *err)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	int result;

	if (!admin)
		return err_set(err, -ENOMEM,
		    "no memory for the control socket");
	TAILQ_INIT(&admin->clients);
	admin->base = base;
	admin->stages = *stages;
	admin->durable_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	admin->drain = evtimer_new(base, on_drain, admin);
	if (admin->durable_fd < 0 || !admin->drain)
		result = err_set_errno(err, "control socket");
	else
		result = control_open(admin, config, err);
	if (result == 0 && *config->metrics)
		result = http_open(admin, config->metrics, err);
	if (result < 0) {
		admin_close(&admin);
		return result;
	}
	*ret = admin;
	return 0;
}

void
admin_close(struct admin **admin)
{
	struct admin *old = *admin;

	*admin = NULL;
	if (!old)
		return;
	http_close(old);
	control_close(old);
	if (old->drain)
		event_free(old->drain);
	if (old->durable_fd >= 0)
		close(old->durable_fd);
	json_close(&old->json);
	free(old);
}

uint16_t
admin_metrics_port(const struct admin *admin)
{
	return admin->metrics_port;
}
