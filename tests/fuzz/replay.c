/* Feeds every file of the directories given to the fuzz target: what libFuzzer
 * found once stays tested where libFuzzer is not. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#include "fuzz/fuzz.h"

static int
replay_file(const char *directory, const char *name)
{
	static uint8_t data[65536];
	char path[4096];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	length = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, length);
	return 0;
}

/* The number of files, or -1. */
static int
replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!directory) {
		perror(path);
		return -1;
	}
	while (count >= 0 && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count = replay_file(path, entry->d_name) == 0 ? count + 1 : -1;
	}
	closedir(directory);
	return count;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay_directory(argv[i]) <= 0)
			return 1;
	return argc > 1 ? 0 : 1;
}
