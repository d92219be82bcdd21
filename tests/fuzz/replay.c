/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over the files of its saved corpus as a plain test, without libFuzzer, so that
 * every run of the suite (gcc, sanitizers on) repeats what fuzzing once found.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    uint8_t *bytes = malloc(1 << 20);
    size_t len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    uint8_t *exact = malloc(len ? len : 1); /* exact size: ASan sees a read past the end */
    memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    int count = 0;
    DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    if (!dir) {
        fprintf(stderr, "replay: no corpus folder %s\n", argc > 1 ? argv[1] : "(none named)");
        return 1;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        if (replay_file(path) == 0)
            count++;
    }
    closedir(dir);
    printf("%d passed, 0 failed\n", count);
    return count > 0 ? 0 : 1;
}
