// A reactor: a list on the heap, with a function that writes it to a file.
#include <stdio.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))

struct node {
  struct node *next;
  int value;
  char padding[4000];
};
static struct node *head;
static int constructed;

__attribute__((constructor)) static void construct(void) { constructed++; }

EXPORT(constructions) int constructions(void) { return constructed; }

EXPORT(push) void push(int value) {
  struct node *node = malloc(sizeof *node);
  node->next = head;
  node->value = value;
  head = node;
}

EXPORT(add) void add(int amount) {
  for (struct node *node = head; node; node = node->next) node->value += amount;
}

EXPORT(save) int save(void) {
  FILE *file = fopen("/data/list", "w");
  if (!file) return -1;
  int count = 0;
  for (struct node *node = head; node; node = node->next, count++) fprintf(file, "%d\n", node->value);
  return fclose(file) == 0 ? count : -1;
}
