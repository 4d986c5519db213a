// What COMMAND INFO and COMMAND DOCS say about the commands of clusters.
// The notation of the records is explained in record.ts.

export const CLUSTER_DOCS = `
asking 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster 3.0.0 That of the subcommand
= Groups the commands of clusters, which this server does not form.
cluster|addslots 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? slot%*
cluster|addslotsrange 7.0.0 O(1)
= Belongs to clusters, which this server does not form.
? start-slot_end-slot&*(start-slot% end-slot%)
cluster|bumpepoch 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
cluster|count-failure-reports 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? node-id$
! nondeterministic_output
cluster|countkeysinslot 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? slot%
cluster|delslots 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? slot%*
cluster|delslotsrange 7.0.0 O(1)
= Belongs to clusters, which this server does not form.
? start-slot_end-slot&*(start-slot% end-slot%)
cluster|failover 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? options|?(force!#FORCE takeover!#TAKEOVER)
cluster|flushslots 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster|forget 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? node-id$
cluster|getkeysinslot 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? slot% count%
! nondeterministic_output
cluster|help 5.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster|info 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
cluster|keyslot 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? key$
cluster|links 7.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
cluster|meet 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? ip$ port% cluster_bus_port%?>4.0.0
cluster|myid 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster|nodes 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
cluster|replicas 5.0.0 O(1)
= Belongs to clusters, which this server does not form.
? node-id$
! nondeterministic_output
cluster|replicate 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? node-id$
cluster|reset 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? hard_soft|?(hard!#HARD soft!#SOFT)
cluster|saveconfig 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
cluster|set-config-epoch 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? config-epoch%
cluster|setslot 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? slot% subcommand|(node-id$#IMPORTING node-id$#MIGRATING node-id$#NODE stable!#STABLE)
cluster|shards 7.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
cluster|slaves 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
? node-id$
! nondeterministic_output
~ deprecated
< 5.0.0 CLUSTER REPLICAS
cluster|slots 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
! nondeterministic_output
~ deprecated
< 7.0.0 CLUSTER SHARDS
readonly 3.0.0 O(1)
= Belongs to clusters, which this server does not form.
readwrite 3.0.0 O(1)
= Belongs to clusters, which this server does not form.

`;
