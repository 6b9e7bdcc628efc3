/* What overhead/rust_api.rs does, through the C ABI: c_api FILE ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <tracestore.h>

static const char *const queries[] = {
    "{ status = error }",
    "{ resource.service.name = \"api-gateway\" } >> { status = error }",
    "{ kind = server } | by(resource.service.name) | avg(duration) > 10ms",
    "{ } | rate() by (resource.service.name)",
};

static void must(ts_code code)
{
    if (code != TS_OK) {
        fprintf(stderr, "%s\n", ts_code_name(code));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    const ts_store_options options = {.size = sizeof options, .threads = 1, .no_background = 1};
    static unsigned char content[1 << 26];
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    size_t answered = 0;
    ts_store *store;

    if (!file)
        return 2;
    size_t length = fread(content, 1, sizeof content, file);
    fclose(file);
    must(ts_store_open(NULL, &options, &store, NULL));
    ts_ingest_result taken = {.size = sizeof taken};
    must(ts_ingest(store, content, length, TS_OTLP_FILE, &taken, NULL));
    must(ts_store_flush(store, NULL));
    for (int round = 0; round < atoi(argv[2]); round++) {
        for (size_t query = 0; query < sizeof queries / sizeof *queries; query++) {
            ts_text *json;
            must(ts_query_json(store, queries[query], TS_ZERO_TERMINATED, NULL, TS_NDJSON, &json, NULL));
            answered += ts_text_length(json);
            must(ts_text_free(json));
        }
    }
    must(ts_store_close(store, NULL));
    printf("%llu spans, %zu bytes of answers\n", (unsigned long long)taken.spans, answered);
    return 0;
}
