// Pointers: inserts n keys into a binary tree, whose first half the parent has built.
#include "../heap.h"

struct node {
  struct node *left, *right;
  u32 key, count;
};

static struct node *root;
static u32 kept;

static void insert(u32 key) {
  struct node **at = &root;
  while (*at) {
    struct node *node = *at;
    if (node->key == key) {
      node->count++;
      return;
    }
    at = key < node->key ? &node->left : &node->right;
  }
  struct node *node = heap_take(sizeof *node);
  node->left = node->right = 0;
  node->key = key;
  node->count = 1;
  *at = node;
}

EXPORT(setup) void setup(int n) {
  heap_reset();
  root = 0;
  for (int i = 0; i < n; i++) insert(number());
  kept = heap_next;
}

static void cut(struct node *node) {
  while (node) {
    if ((u32)node->left >= kept) node->left = 0;
    if ((u32)node->right >= kept) node->right = 0;
    cut(node->left);
    node = node->right;
  }
}

EXPORT(run) u32 run(int n) {
  cut(root); // what the last run inserted
  heap_next = kept;
  seed = 777;
  for (int i = 0; i < n; i++) insert(number());
  return heap_next - kept;
}
