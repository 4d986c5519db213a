// What COMMAND INFO and COMMAND DOCS say about the commands of clusters.
// The notation of the records is explained in record.ts.

export const CLUSTER_DOCS = `
asking 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster 3.0.0 That of the subcommand
= Groups the commands of clusters, which this server does not form.
readonly 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
readwrite 3.0.0 O(1)
= Belongs to clusters, which this server does not form.

`;
