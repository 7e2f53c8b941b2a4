/* The summary of a run, for people or as JSON. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <stdio.h>

#include "load/generator.h"

/* Counters and latencies of one more thread; times run side by side. */
void report_merge(struct generator_stats *into,
    const struct generator_stats *from);
void report_print(const struct generator_stats *stats, FILE *out);
/* 0 or -ENOMEM */
int report_print_json(const struct generator_stats *stats, FILE *out);

#endif
