/* The OpenAPI 3.1 document of all routes. */
#ifndef PORTAL_OPENAPI_H
#define PORTAL_OPENAPI_H

#include "base/json.h"

void openapi_write(struct json *json);

#endif
