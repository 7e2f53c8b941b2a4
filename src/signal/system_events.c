#include "signal/system_events.h"

#include <string.h>

#include "base/array.h"

const struct system_event system_events[] = {
	{ "armed_by_user", 'R', "401", false },
	{ "disarmed_by_user", 'E', "401", false },
	{ "armed_by_schedule", 'R', "403", false },
	{ "disarmed_by_schedule", 'E', "403", false },
	{ "armed_remotely", 'R', "407", false },
	{ "disarmed_remotely", 'E', "407", false },
	{ "armed_by_input", 'R', "409", false },
	{ "disarmed_by_input", 'E', "409", false },
	{ "bridge_offline", 'E', "350", false },
	{ "bridge_back", 'R', "350", false },
	{ "backup_path_lost", 'E', "351", false },
	{ "backup_path_back", 'R', "351", false },
	{ "camera_lost", 'E', "380", true },
	{ "camera_back", 'R', "380", true },
	{ "camera_idle", 'E', "391", true },
	{ "camera_active", 'R', "391", true },
	{ "bridge_powered_on", 'E', "305", false },
	{ "bridge_restarted", 'E', "313", false },
	{ "programming_changed", 'E', "306", false },
	{ "device_added", 'E', "531", false },
	{ "device_removed", 'E', "532", false },
	{ "periodic_test", 'E', "602", false },
	{ "manual_test", 'E', "601", false },
	{ "test_missing", 'E', "654", false },
	{ "test_started", 'E', "607", false },
	{ "test_ended", 'R', "607", false },
	{ "viewing_started", 'E', "609", false },
	{ "viewing_ended", 'R', "609", false },
	{ "two_way_audio", 'E', "606", false },
	{ "dispatch_requested", 'E', "750", false },
	{ "dispatch_cancelled", 'E', "406", false },
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

const struct system_event *
system_event_by_code(char qualifier, const char *code)
{
	for (size_t i = 0; i < system_event_count; i++)
		if (system_events[i].qualifier == qualifier &&
		    strcmp(system_events[i].code, code) == 0)
			return &system_events[i];
	return NULL;
}
