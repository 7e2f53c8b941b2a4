#include "portal/web.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"

#define FILES_MAX      256
#define FILE_BYTES_MAX (4 * 1024 * 1024)
#define DEPTH_MAX      4
#define PATH_SIZE      256

struct web {
	struct web_file files[FILES_MAX];
	size_t count;
	struct hash_key key;
};

static const char *
type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".json", "application/json" },
		{ ".webmanifest", "application/manifest+json" },
	};
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < COUNT(types); i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static int
read_all(int fd, struct web_file *file)
{
	size_t done = 0;

	while (done < file->length) {
		ssize_t got =
		    read(fd, file->content + done, file->length - done);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int
add_file(struct web *web, int fd, const struct stat *status, const char *path,
    struct err *err)
{
	struct web_file *file = &web->files[web->count];
	int result;

	if (web->count == FILES_MAX || status->st_size > FILE_BYTES_MAX)
		return err_set(err, -EFBIG,
		    "%s: at most %d files of at most %d MiB are served", path,
		    FILES_MAX, FILE_BYTES_MAX >> 20);
	file->type = type_of(path);
	file->length = (size_t)status->st_size;
	file->path = strdup(path);
	file->content = malloc(file->length + 1);
	web->count++; /* web_close frees what there is of it */
	if (!file->path || !file->content)
		return err_set(err, -ENOMEM, "out of memory");
	result = read_all(fd, file);
	if (result < 0)
		return err_set(err, result, "%s: cannot be read", path);
	snprintf(file->etag, sizeof(file->etag), "\"%016" PRIx64 "\"",
	    hash_bytes(&web->key, file->content, file->length));
	return 0;
}

static int add_folder(struct web *web, int fd, const char *prefix, int depth,
    struct err *err);

static int
add_entry(struct web *web, int folder, const char *prefix, const char *name,
    int depth, struct err *err)
{
	char path[PATH_SIZE];
	struct stat status;
	int fd, result = 0;

	if (*name == '.' ||
	    snprintf(path, sizeof(path), "%s/%s", prefix, name) >=
		(int)sizeof(path))
		return 0;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? 0 : err_set_errno(err, "%s", path);
	if (fstat(fd, &status) < 0)
		result = err_set_errno(err, "%s", path);
	else if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX)
		return add_folder(web, fd, path, depth + 1, err);
	else if (S_ISREG(status.st_mode) && type_of(name))
		result = add_file(web, fd, &status, path, err);
	close(fd);
	return result;
}

/* Takes fd. */
static int
add_folder(struct web *web, int fd, const char *prefix, int depth,
    struct err *err)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!folder) {
		result = err_set_errno(err, "%s", prefix);
		close(fd);
		return result;
	}
	while (result == 0 && (entry = readdir(folder)) != NULL)
		result = add_entry(web, fd, prefix, entry->d_name, depth, err);
	closedir(folder);
	return result;
}

int
web_open(const char *directory, struct web **ret, struct err *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set_errno(err, "%s", directory);
	*ret = calloc(1, sizeof(**ret));
	if (!*ret) {
		close(fd);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return add_folder(*ret, fd, "", 0, err);
}

void
web_close(struct web **ret)
{
	struct web *web = *ret;

	if (!web)
		return;
	for (size_t i = 0; i < web->count; i++) {
		free(web->files[i].path);
		free(web->files[i].content);
	}
	free(web);
	*ret = NULL;
}

const struct web_file *
web_find(const struct web *web, const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; i < web->count; i++)
		if (strcmp(web->files[i].path, path) == 0)
			return &web->files[i];
	return NULL;
}
