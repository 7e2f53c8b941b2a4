#include "signal/system_events.h"

#include <string.h>

#include "base/array.h"

const struct system_event system_events[] = {
	{ "armed_by_user", 'R', "401" },
	{ "disarmed_by_user", 'E', "401" },
	{ "armed_by_schedule", 'R', "403" },
	{ "disarmed_by_schedule", 'E', "403" },
	{ "armed_remotely", 'R', "407" },
	{ "disarmed_remotely", 'E', "407" },
	{ "armed_by_input", 'R', "409" },
	{ "disarmed_by_input", 'E', "409" },
	{ "bridge_offline", 'E', "350" },
	{ "bridge_back", 'R', "350" },
	{ "backup_path_lost", 'E', "351" },
	{ "backup_path_back", 'R', "351" },
	{ "camera_lost", 'E', "380" },
	{ "camera_back", 'R', "380" },
	{ "camera_idle", 'E', "391" },
	{ "camera_active", 'R', "391" },
	{ "bridge_powered_on", 'E', "305" },
	{ "bridge_restarted", 'E', "313" },
	{ "programming_changed", 'E', "306" },
	{ "device_added", 'E', "531" },
	{ "device_removed", 'E', "532" },
	{ "periodic_test", 'E', "602" },
	{ "manual_test", 'E', "601" },
	{ "test_missing", 'E', "654" },
	{ "test_started", 'E', "607" },
	{ "test_ended", 'R', "607" },
	{ "viewing_started", 'E', "609" },
	{ "viewing_ended", 'R', "609" },
	{ "two_way_audio", 'E', "606" },
	{ "dispatch_requested", 'E', "750" },
	{ "dispatch_cancelled", 'E', "406" },
};

const size_t system_event_count = COUNT(system_events);

const struct system_event *
system_event_by_name(const char *name)
{
	for (size_t i = 0; i < system_event_count; i++)
		if (strcmp(system_events[i].name, name) == 0)
			return &system_events[i];
	return NULL;
}
