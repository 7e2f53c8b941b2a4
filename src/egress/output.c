#include "egress/output.h"

#include "base/array.h"

static const struct output *const outputs[] = {
	&output_surgard,
	&output_dc09,
	&output_ademco685,
	&output_d6500,
	&output_xml,
	&output_json,
	&output_mail,
	&output_webhook,
};

const struct output *
output_find(enum directory_protocol protocol)
{
	for (size_t i = 0; i < COUNT(outputs); i++)
		if (outputs[i]->protocol == protocol)
			return outputs[i];
	return NULL;
}
