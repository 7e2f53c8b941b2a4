/*
 * Control socket (commands in one table), metrics and health over HTTP on
 * loopback. Main loop only. Sees every stage through its public header; no
 * stage sees admin.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <event2/event.h>

#include "archive/archive.h"
#include "base/clock.h"
#include "base/err.h"
#include "dispatch/dispatch.h"
#include "egress/egress.h"
#include "ingress/ingress.h"
#include "journal/journal.h"
#include "watch/watch.h"

struct admin_config {
	const char *socket;	   /* path of the control socket */
	const char *portal_socket; /* the portal's; "": none */
	const char *metrics;	   /* "127.0.0.1:9108"; "": none */
};

/* What the commands look at and what they may ask the daemon to do. Members
 * may be NULL while their stage is not open. */
struct admin_stages {
	struct journal *journal;
	struct directory *directory;
	struct dispatch *dispatch;
	struct egress *egress;
	struct archive *archive;
	struct ingress *ingress;
	struct watch *watch;
	const struct clock *clock;
	int (*reload)(void *context, struct err *err);
	void (*drain)(void *context);
	/* the effective configuration as JSON members of an open object */
	void (*show_config)(void *context, struct json *json);
	void *context;
};

struct admin;
int admin_open(struct admin **ret, struct event_base *base,
    const struct admin_config *config, const struct admin_stages *stages,
    struct err *err);
void admin_close(struct admin **admin);

/* Where /metrics is, e.g. after port 0; 0: nowhere. */
uint16_t admin_metrics_port(const struct admin *admin);

#endif
