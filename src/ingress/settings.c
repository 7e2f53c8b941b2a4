#include "ingress/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingress/tls_server.h"

bool
ingress_has_path(enum ingress_transport transport)
{
	return transport == INGRESS_UNIX || transport == INGRESS_DIRECTORY;
}

static enum ingress_transport
socket_kind(enum ingress_transport transport)
{
	return transport == INGRESS_TLS ? INGRESS_TCP : transport;
}

bool
ingress_same_place(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b)
{
	return socket_kind(a->transport) == socket_kind(b->transport) &&
	    strcmp(a->address, b->address) == 0 &&
	    (a->port == b->port || ingress_has_path(a->transport));
}

bool
settings_same_socket(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b)
{
	return ingress_same_place(a, b) &&
	    (a->port != 0 || ingress_has_path(a->transport) ||
		strcmp(a->name, b->name) == 0);
}

static int
check_pair(const struct ingress_listener_config *a,
    const struct ingress_listener_config *b, struct err *err)
{
	if (strcmp(a->name, b->name) == 0)
		return err_set(err, -EINVAL, "two listeners are named '%s'",
		    a->name);
	if (settings_same_socket(a, b))
		return err_set(err, -EINVAL,
		    "listeners '%s' and '%s' are both on %s port %u", a->name,
		    b->name, a->address, a->port);
	return 0;
}

static int
check(const struct ingress_config *config, struct err *err)
{
	int result = 0;

	for (unsigned i = 0; i < config->listener_count; i++)
		for (unsigned j = 0; j < i && result == 0; j++)
			result = check_pair(&config->listeners[j],
			    &config->listeners[i], err);
	return result;
}

static int
read_certificates(struct settings *settings, unsigned index, struct err *err)
{
	struct ingress_listener_config *config = &settings->listeners[index];
	int result = 0;

	if (config->transport == INGRESS_TLS)
		result =
		    tls_server_open(&settings->tls[index], &config->tls, err);
	config->tls.certificate = config->tls.certificate_key =
	    config->tls.client_ca = NULL;
	return result < 0 ? err_prefix(err, result, "listener %s", config->name)
			  : 0;
}

static int
copy(struct settings *settings, const struct ingress_config *config,
    struct err *err)
{
	int result = 0;

	settings->listeners =
	    calloc(config->listener_count + 1, sizeof(*settings->listeners));
	settings->tls =
	    calloc(config->listener_count + 1, sizeof(*settings->tls));
	if (!settings->listeners || !settings->tls)
		return err_set(err, -ENOMEM, "no memory for the listeners");
	for (unsigned i = 0; i < config->listener_count && result == 0; i++) {
		struct ingress_listener_config *to = &settings->listeners[i];

		*to = config->listeners[i];
		to->name = strdup(to->name);
		to->address = strdup(to->address);
		settings->count++;
		if (!to->name || !to->address)
			return err_set(err, -ENOMEM,
			    "no memory for the listeners");
		result = read_certificates(settings, i, err);
	}
	return result;
}

int
settings_make(struct settings **ret, const struct ingress_config *config,
    struct err *err)
{
	struct settings *settings;
	int result = check(config, err);

	if (result < 0)
		return result;
	settings = calloc(1, sizeof(*settings));
	if (!settings)
		return err_set(err, -ENOMEM, "no memory for the listeners");
	result = copy(settings, config, err);
	if (result < 0)
		settings_close(&settings);
	*ret = settings;
	return result;
}

/* The config's strings are const to everyone who only looks. */
static void
free_string(const char *string)
{
	free((void *)(uintptr_t)string);
}

void
settings_close(struct settings **settings)
{
	struct settings *old = *settings;

	*settings = NULL;
	if (!old)
		return;
	for (unsigned i = 0; i < old->count; i++) {
		free_string(old->listeners[i].name);
		free_string(old->listeners[i].address);
		explicit_bzero(&old->listeners[i].key,
		    sizeof(old->listeners[i].key));
		tls_server_close(&old->tls[i]);
	}
	free(old->listeners);
	free(old->tls);
	free(old);
}
