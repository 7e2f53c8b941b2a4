#include "fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config.h"

/* A file that is none on any disk, written anew for each input. */
static void
write_file(const uint8_t *data, size_t length, char path[64])
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("tocsin.ini", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, data, length, 0) == (ssize_t)length);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
}

/* What --check finds right can be loaded, and nothing else. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static FILE *nowhere;
	struct config *config = NULL;
	struct err err = { "" };
	char path[64];
	int checked;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	FUZZ_CHECK(nowhere);
	write_file(data, length, path);
	checked = config_check(path, nowhere);
	FUZZ_CHECK((config_load(path, &config, &err) == 0) == (checked == 0));
	FUZZ_CHECK(checked == 0 || err.text[0] != '\0');
	config_free(&config);
	return 0;
}
