/*
 * Prints the answer of a query as CSV, batch by batch as it comes through the Arrow C stream interface:
 *
 *     stream_query FOLDER QUERY [START END]
 *
 * Times are ns since 1970. For a metrics query this is what `traceql query -o csv QUERY FOLDER` prints.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracestore.h>

static int fail(const char *what, const char *message)
{
    fprintf(stderr, "%s: %s\n", what, message ? message : "");
    return 1;
}

/* The shortest text that is the same number, without an exponent as far as 17 digits do. */
static void print_number(double number)
{
    char text[32];

    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number && !strchr(text, 'e'))
            break;
    }
    fputs(text, stdout);
}

static int is_null(const struct ArrowArray *column, int64_t row)
{
    const uint8_t *valid = column->n_buffers > 0 ? column->buffers[0] : NULL;
    int64_t bit = column->offset + row;

    return valid && !(valid[bit / 8] >> (bit % 8) & 1);
}

/* A cell; nothing for NULL, and for types that this example does not know. */
static void print_cell(const struct ArrowSchema *type, const struct ArrowArray *column, int64_t row)
{
    const char *format = type->format;
    int64_t at = column->offset + row;

    if (is_null(column, row))
        return;
    const void *values = column->buffers[1];
    if (type->dictionary) {
        int64_t code = *format == 'i' || *format == 'I' ? ((const int32_t *)values)[at] : ((const int64_t *)values)[at];
        print_cell(type->dictionary, column->dictionary, code);
    } else if (!strcmp(format, "u")) {
        const int32_t *ends = values;
        printf("%.*s", ends[at + 1] - ends[at], (const char *)column->buffers[2] + ends[at]);
    } else if (!strcmp(format, "vu")) {
        /* A view: the length, then the text itself or (behind four bytes of it) its buffer and place. */
        const uint8_t *view = (const uint8_t *)values + 16 * at;
        int32_t length, where[2];
        memcpy(&length, view, 4);
        memcpy(where, view + 8, 8);
        const char *text = length <= 12 ? (const char *)view + 4 : (const char *)column->buffers[2 + where[0]] + where[1];
        printf("%.*s", length, text);
    } else if (!strcmp(format, "b")) {
        fputs(((const uint8_t *)values)[at / 8] >> (at % 8) & 1 ? "true" : "false", stdout);
    } else if (!strcmp(format, "g")) {
        print_number(((const double *)values)[at]);
    } else if (!strcmp(format, "L")) {
        printf("%" PRIu64, ((const uint64_t *)values)[at]);
    } else if (!strcmp(format, "l") || !strncmp(format, "tsn", 3) || !strcmp(format, "tDn")) {
        printf("%" PRId64, ((const int64_t *)values)[at]);
    } else if (!strcmp(format, "i")) {
        printf("%" PRId32, ((const int32_t *)values)[at]);
    } else {
        fprintf(stderr, "a column of type %s is not shown\n", format);
    }
}

static int print_stream(struct ArrowArrayStream *stream)
{
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int failed;

    if (stream->get_schema(stream, &schema))
        return fail("schema", stream->get_last_error(stream));
    for (int64_t column = 0; column < schema.n_children; column++) {
        const char *name = schema.children[column]->name;
        printf("%s%s", column ? "," : "", strcmp(name, "time") ? name : "time_unix_nano");
    }
    puts("");
    while (!(failed = stream->get_next(stream, &batch)) && batch.release) {
        for (int64_t row = 0; row < batch.length; row++) {
            for (int64_t column = 0; column < batch.n_children; column++) {
                if (column)
                    putchar(',');
                print_cell(schema.children[column], batch.children[column], row);
            }
            puts("");
        }
        batch.release(&batch);
    }
    schema.release(&schema);
    return failed ? fail("batch", stream->get_last_error(stream)) : 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: stream_query FOLDER QUERY [START END]\n");
        return 2;
    }
    ts_store_options reading = {.size = sizeof reading, .read_only = 1};
    ts_query_options options = {.size = sizeof options, .limit = 1000};
    if (argc == 5) {
        options.start = strtoull(argv[3], NULL, 10);
        options.end = strtoull(argv[4], NULL, 10);
    }
    struct ArrowArrayStream stream;
    ts_error *error;
    ts_store *store;
    int failed;

    if (ts_store_open(argv[1], &reading, &store, &error) != TS_OK) {
        failed = fail(argv[1], ts_error_message(error));
    } else {
        if (ts_query_arrow(store, argv[2], TS_ZERO_TERMINATED, &options, &stream, &error) == TS_OK) {
            failed = print_stream(&stream);
            stream.release(&stream);
        } else {
            failed = fail(argv[2], ts_error_message(error));
        }
        ts_store_close(store, NULL);
    }
    ts_error_free(error);
    return failed;
}
