#include "portal/geocoder_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

json_t *
geocoder_answer_parse(const char *body, size_t length, struct err *err)
{
	json_error_t problem;
	json_t *answer =
	    json_loadb(body, length, JSON_REJECT_DUPLICATES, &problem);

	if (!answer)
		err_set(err, -EPROTO,
		    "the address service's answer is no JSON: %s",
		    problem.text);
	return answer;
}

void
geocoder_answer_text(const json_t *value, char *ret, size_t size)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (length >= size) {
		length = size - 1;
		/* not inside a character of several bytes */
		while (length > 0 &&
		    ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	if (length > 0)
		memcpy(ret, text, length);
	ret[length] = '\0';
}
