/*
 * The configuration as one immutable object of our own. The main thread makes
 * and frees it; the workers look at it between two reloads.
 */
#ifndef INGRESS_SETTINGS_H
#define INGRESS_SETTINGS_H

#include "ingress/ingress.h"

struct settings {
	unsigned count;
	struct ingress_listener_config *listeners;
};

/* A deep copy. -EINVAL with the reason: two listeners of one name, or on one
 * address; -ENOMEM. */
int settings_make(struct settings **ret, const struct ingress_config *config,
    struct err *err);
void settings_close(struct settings **settings);

/* The same socket serves both: transport, address and port are equal (and the
 * name, where the port is "any"). */
bool settings_same_socket(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b);

#endif
