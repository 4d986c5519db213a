// What COMMAND INFO and COMMAND DOCS say about the commands of transactions.
// The notation of the records is explained in record.ts.

export const TRANSACTION_DOCS = `
discard 2.0.0 O(N), N the queued commands
= Drops the queued commands of a transaction.
exec 1.2.0 That of the queued commands
= Runs the queued commands of a transaction in one step.
multi 1.2.0 O(1)
= Opens a transaction: what follows is queued until EXEC.
unwatch 2.2.0 O(1)
= Forgets every key this connection watches.
watch 2.2.0 O(N), N the number of keys
= Makes the next EXEC depend on these keys staying unchanged.
? key@0*
# RO

`;
