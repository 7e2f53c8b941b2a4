/* Types of settings that only tocsind has. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "codec/dc09.h"
#include "daemon/config_table.h"

/* ---- tolerate ------------------------------------------------------------ */

/* Comma or space between the names. */
static int
parse_tolerate(void *member, const char *text, struct err *err)
{
	unsigned bits = 0;
	bool none = false, some = false;

	while (*(text += strspn(text, ", \t"))) {
		struct slice name = slice_of(text, strcspn(text, ", \t"));
		unsigned bit = dc09_tolerance_from_name(name);

		if (slice_is(name, "default"))
			bit = dc09_tolerance_default;
		if (slice_is(name, "none"))
			none = true;
		else if (bit == 0)
			return err_set(err, -EINVAL,
			    "'%.*s' is no tolerance (tocsin.ini(5) lists them)",
			    SLICE_ARG(name));
		else
			some = true;
		bits |= bit;
		text += name.length;
	}
	if (none == some)
		return err_set(err, -EINVAL,
		    none ? "none stands alone" : "may not be empty: none");
	memcpy(member, &bits, sizeof(bits));
	return 0;
}

static int
parse_key(void *member, const char *text, struct err *err)
{
	struct codec_key key = { 0 };
	const char *problem = NULL;

	if (*text &&
	    codec_key_parse(slice_from_string(text), &key, &problem) < 0)
		return err_set(err, -EINVAL, "%s", problem);
	memcpy(member, &key, sizeof(key));
	explicit_bzero(&key, sizeof(key));
	return 0;
}

static void
append_name(char *out, const char *name)
{
	size_t length = strlen(out);

	snprintf(out + length, CONFIG_VALUE_SIZE - length, "%s%s",
	    length ? ", " : "", name);
}

static void
format_tolerate(const void *member, char out[CONFIG_VALUE_SIZE])
{
	const unsigned standard = dc09_tolerance_default;
	const char *name;
	unsigned bit = 0, bits;

	memcpy(&bits, member, sizeof(bits));
	if (standard && (bits & standard) == standard) {
		append_name(out, "default");
		bits &= ~standard;
	} else if (bits == 0) {
		append_name(out, "none");
	}
	for (unsigned i = 0; (name = dc09_tolerance_name(i, &bit)); i++)
		if (bits & bit)
			append_name(out, name);
}

static void
format_key(const void *member, char out[CONFIG_VALUE_SIZE])
{
	struct codec_key key;

	memcpy(&key, member, sizeof(key));
	if (key.length) {
		memcpy(out, "hex:", 4);
		text_hex_encode(key.bytes, key.length, out + 4);
	}
	explicit_bzero(&key, sizeof(key));
}

const struct config_other config_tolerate = { parse_tolerate, format_tolerate,
	false };
const struct config_other config_key = { parse_key, format_key, true };

/* ---- tocsin.ini(5) ------------------------------------------------------- */

static void
write_tolerances(bool standard, FILE *out)
{
	const char *name;
	unsigned bit = 0, count = 0;

	fputs(standard ? "Quirks in the default set:"
		       : "Quirks to be named beside it:",
	    out);
	for (unsigned i = 0; (name = dc09_tolerance_name(i, &bit)); i++)
		if (((bit & dc09_tolerance_default) != 0) == standard)
			fprintf(out, "%s\n.Ql %s", count++ ? " ," : "", name);
	fputs(" .\n", out);
}

void
config_write_tolerances(FILE *out)
{
	write_tolerances(true, out);
	write_tolerances(false, out);
}
