// Pointers: a treap; n inserts with rotations, then lookups that count on their way.
#include "heap.h"

struct node {
  struct node *left, *right;
  u32 key, priority, count;
};

static struct node *root;

static struct node *rotate_right(struct node *t) {
  struct node *l = t->left;
  t->left = l->right;
  l->right = t;
  return l;
}
static struct node *rotate_left(struct node *t) {
  struct node *r = t->right;
  t->right = r->left;
  r->left = t;
  return r;
}
static struct node *insert(struct node *t, u32 key) {
  if (!t) {
    t = heap_take(sizeof *t);
    t->left = t->right = 0;
    t->key = key;
    t->priority = number();
    t->count = 1;
    return t;
  }
  if (key == t->key) t->count++;
  else if (key < t->key) {
    t->left = insert(t->left, key);
    if (t->left->priority > t->priority) t = rotate_right(t);
  } else {
    t->right = insert(t->right, key);
    if (t->right->priority > t->priority) t = rotate_left(t);
  }
  return t;
}

EXPORT(run) u32 run(int n) {
  heap_reset();
  root = 0;
  for (int i = 0; i < n; i++) root = insert(root, number() % (u32)n);
  u32 sum = 0;
  for (int i = 0; i < n; i++) {
    u32 key = number() % (u32)n;
    struct node *t = root;
    while (t && t->key != key) {
      t->count++;
      t = key < t->key ? t->left : t->right;
    }
    if (t) sum += t->count;
  }
  return sum;
}
