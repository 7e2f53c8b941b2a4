/* Who resolves the host names of endpoints: within the loop, so that one who
 * never answers holds up nothing but its own link. Main loop only. */
#ifndef EGRESS_RESOLVER_H
#define EGRESS_RESOLVER_H

#include <event2/dns.h>

/* nameservers: "ADDRESS:PORT,.."; "": those of the system. NULL: no memory. For
 * evdns_base_free. */
struct evdns_base *resolver_open(struct event_base *base,
    const char *nameservers);

#endif
