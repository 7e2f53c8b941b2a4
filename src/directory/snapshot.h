/*
 * The whole picture in a file, so that a node starts without its database.
 *
 *	header, 96 bytes, little-endian
 *	  0  "TOCSNAP\n"
 *	  8  u32 version (1)
 *	 12  u32 flags: 1 = keys are sealed with the master key
 *	 16  u64 bytes of the body
 *	 24  u64 wall clock of the picture, us since 1970
 *	 32  u64 objects of each kind (6, in the order of enum object_kind)
 *	 80  u32 CRC32C of the body
 *	 84  8 zero bytes
 *	 92  u32 CRC32C of the 92 bytes before
 *	body: one record per object
 *	  u8 kind, u32 bytes that follow, fields in the order of the structs in
 *	  directory.h; text is u16 length + bytes, 0xffff length: NULL
 *
 * A change of the fields is a new version: an older file is refused then, and
 * the next one is written from the database.
 */
#ifndef DIRECTORY_SNAPSHOT_H
#define DIRECTORY_SNAPSHOT_H

#include "base/seal.h"
#include "directory/picture.h"

/* Every object of the picture, in the order of kinds: on the writer's thread.
 * They must live until it is freed, with free. NULL: out of memory. */
struct snapshot_content {
	size_t count;
	const struct object *objects[];
};
struct snapshot_content *snapshot_collect(const struct picture *picture,
    object_allocate_fn allocate);

/* Write it in place of path, mode 0600; a crash leaves the old or the new. Any
 * thread. master NULL: keys are stored as they are. 0 or -errno with the
 * sentence. */
int snapshot_write(const struct io *io, const char *path,
    const struct snapshot_content *content, const struct seal_master *master,
    int64_t wall_us, struct err *err);

/*
 * Put every object into the batch. 0; -ENOENT: there is no file; -EBADMSG:
 * damaged, cut, of another version, or its keys do not open (abandon the batch
 * then); other -errno.
 */
int snapshot_read(const struct io *io, const char *path,
    struct directory_batch *batch, const struct seal_master *master,
    int64_t *ret_wall_us, struct err *err);

#endif
