// Goes through the files of its directory with what C offers, and reports each step.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void step(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : strerror(errno)); }

int main(void) {
  step("mkdir", mkdir("/data/dir", 0777) == 0);
  FILE *file = fopen("/data/dir/one", "w+");
  step("fopen", file != NULL);
  for (int i = 0; i < 20000; i++) fprintf(file, "line %d\n", i);
  step("fseek", fseek(file, 0, SEEK_SET) == 0);
  char line[64] = "";
  for (int i = 0; i <= 12345; i++) fgets(line, sizeof line, file);
  step("fgets", strcmp(line, "line 12345\n") == 0);
  step("fclose", fclose(file) == 0);

  int fd = open("/data/dir/one", O_RDWR | O_APPEND);
  step("append", write(fd, "end", 3) == 3 && lseek(fd, -3, SEEK_END) > 0 && read(fd, line, 3) == 3 && !memcmp(line, "end", 3));
  step("pwrite", pwrite(fd, "", 0, 0) == 0);
  step("ftruncate", ftruncate(fd, 10) == 0);
  struct stat facts;
  step("fstat", fstat(fd, &facts) == 0 && facts.st_size == 10 && S_ISREG(facts.st_mode));
  step("fsync", fsync(fd) == 0 && close(fd) == 0);

  step("rename", rename("/data/dir/one", "/data/dir/two") == 0);
  step("link", link("/data/dir/two", "/data/dir/three") == 0);
  step("symlink", symlink("two", "/data/dir/four") == 0);
  step("stat of a link's target", stat("/data/dir/four", &facts) == 0 && facts.st_size == 10);
  step("lstat", lstat("/data/dir/four", &facts) == 0 && S_ISLNK(facts.st_mode));
  step("readlink", readlink("/data/dir/four", line, sizeof line) == 3 && !memcmp(line, "two", 3));
  int entries = 0;
  DIR *directory = opendir("/data/dir");
  while (directory && readdir(directory)) entries++;
  printf("entries: %d\n", entries);
  closedir(directory);
  step("unlink", !unlink("/data/dir/two") && !unlink("/data/dir/three") && !unlink("/data/dir/four"));
  step("rmdir", rmdir("/data/dir") == 0);

  step("open outside", open("/etc/passwd", O_RDONLY) >= 0);
  step("open above", open("/data/../etc/passwd", O_RDONLY) >= 0);
  step("create where reading is allowed", open("/fixed/new", O_CREAT | O_WRONLY, 0666) >= 0);
  step("read there", (fd = open("/fixed/file", O_RDONLY)) >= 0 && read(fd, line, 5) == 5);
  return 0;
}
