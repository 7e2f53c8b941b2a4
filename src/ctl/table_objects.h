/* JSON objects of any shape, as the control socket sends them, for people. */
#ifndef CTL_TABLE_OBJECTS_H
#define CTL_TABLE_OBJECTS_H

#include <jansson.h>
#include <stdbool.h>

/* Columns are the keys in the order of their first appearance. */
void table_print_objects(const json_t *array, bool single);

/* One object on one line, "key=value" for every member that says something. */
void table_print_line(json_t *object);

#endif
