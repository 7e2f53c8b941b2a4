/* What a setting of tocsind is: a row of config_table. Only daemon/config*.c
 * look here. */
#ifndef DAEMON_CONFIG_TABLE_H
#define DAEMON_CONFIG_TABLE_H

#include "config/config_file.h"
#include "daemon/config.h"

#define CONFIG_SECTION_LISTENER "listener"

struct config_listener {
	struct ingress_listener_config ingress;
	const char *key_file;
	const struct config_group *group;
};

struct config_owned {
	struct config_file file;
	struct config_listener listeners[CONFIG_LISTENERS_MAX];
	struct ingress_listener_config ingress[CONFIG_LISTENERS_MAX];
};

extern const struct config_schema config_schema;

/* Types that only tocsind has. */
extern const struct config_other config_key;	  /* struct codec_key */
extern const struct config_other config_tolerate; /* unsigned, bits of enum
						     dc09_tolerance */
/* For tocsin.ini(5): which words tolerate takes. */
void config_write_tolerances(FILE *out);

#endif
