#include "egress/resolver.h"

#include "base/socket.h"

struct evdns_base *
resolver_open(struct event_base *base, const char *nameservers)
{
	int flags = EVDNS_BASE_DISABLE_WHEN_INACTIVE;
	struct socket_address address;
	struct evdns_base *dns;

	if (*nameservers == '\0')
		flags |= EVDNS_BASE_INITIALIZE_NAMESERVERS;
	dns = evdns_base_new(base, flags);
	if (!dns || *nameservers == '\0')
		return dns;
	evdns_base_load_hosts(dns, "/etc/hosts");
	while (socket_address_next(&nameservers, &address, NULL) > 0)
		evdns_base_nameserver_sockaddr_add(dns, &address.any,
		    address.length, 0);
	return dns;
}
