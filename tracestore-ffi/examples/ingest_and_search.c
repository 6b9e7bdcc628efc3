/*
 * Takes a file of OTLP into a store, and prints what searches and metrics queries find, an object per line:
 *
 *     ingest_and_search FOLDER FILE QUERY...
 *
 * prints for each query what `traceql query -o ndjson QUERY FOLDER` prints. FOLDER may be empty for a store in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracestore.h>

/* Says what went wrong, frees it, and ends. */
static void fail(const char *what, ts_code code, ts_error *error)
{
    const char *message = ts_error_message(error);
    size_t offset, length;

    fprintf(stderr, "%s: %s: %s\n", what, ts_code_name(code), message ? message : "");
    if (ts_error_span(error, &offset, &length) == TS_OK)
        fprintf(stderr, "at byte %zu, %zu bytes\n", offset, length);
    ts_error_free(error);
    exit(1);
}

static unsigned char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 16, read;
    unsigned char *content = malloc(capacity);

    if (!file || !content) {
        perror(path);
        exit(1);
    }
    *length = 0;
    while ((read = fread(content + *length, 1, capacity - *length, file)) > 0) {
        *length += read;
        if (*length == capacity) {
            unsigned char *more = realloc(content, capacity *= 2);
            if (!more)
                abort();
            content = more;
        }
    }
    fclose(file);
    return content;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: ingest_and_search FOLDER FILE QUERY...\n");
        return 2;
    }
    if (ts_abi_version() != TS_ABI_VERSION) {
        fprintf(stderr, "the library has another ABI than the header\n");
        return 2;
    }
    ts_error *error;
    ts_store *store;
    ts_code code = ts_store_open(*argv[1] ? argv[1] : NULL, NULL, &store, &error);
    if (code != TS_OK)
        fail("open", code, error);

    size_t length;
    unsigned char *content = read_file(argv[2], &length);
    ts_ingest_result taken = {.size = sizeof taken};
    code = ts_ingest(store, content, length, TS_OTLP_FILE, &taken, &error);
    free(content);
    if (code != TS_OK)
        fail("ingest", code, error);
    fprintf(stderr, "%llu spans taken, %llu refused\n", (unsigned long long)taken.spans,
            (unsigned long long)taken.refused);

    for (int query = 3; query < argc; query++) {
        ts_query_options options = {.size = sizeof options, .limit = 1000};
        ts_text *json;
        code = ts_query_json(store, argv[query], TS_ZERO_TERMINATED, &options, TS_NDJSON, &json, &error);
        if (code != TS_OK)
            fail(argv[query], code, error);
        fwrite(ts_text_data(json), 1, ts_text_length(json), stdout);
        ts_text_free(json);
    }
    code = ts_store_close(store, &error);
    if (code != TS_OK)
        fail("close", code, error);
    return ts_open_handles() != 0;
}
