/*
 * What happens to a customer beyond changes of columns: each a call of one
 * function of sql/0010_provisioning.sql, as rows of a table (ctl/entity.h).
 */
#ifndef CTL_LIFE_H
#define CTL_LIFE_H

#include "ctl/entity.h"

#define LIFE_ARMING_METHODS                                                    \
 "panel_primary|panel_individual|video_system|schedule|panel_signals|"         \
 "remote_api|always"

/* An expression of SQL: bits, 1 Monday ... 64 Sunday, as "mon,tue" */
#define LIFE_DAYS(bits)                                                        \
 "(SELECT string_agg((ARRAY['mon','tue','wed','thu','fri','sat','sun'])[d+1]," \
 " ',' ORDER BY d) FROM generate_series(0, 6) d WHERE " bits                   \
 " & (1 << d) <> 0)"

enum {
	LIFE_SITE_ACTIONS = 6,
	LIFE_BRIDGE_ACTIONS = 10,
	LIFE_USER_ACTIONS = 1,
};
extern const struct entity_action life_site_actions[LIFE_SITE_ACTIONS];
extern const struct entity_action life_bridge_actions[LIFE_BRIDGE_ACTIONS];
extern const struct entity_action life_user_actions[LIFE_USER_ACTIONS];

#endif
