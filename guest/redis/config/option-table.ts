// The options of Redis 7.0 that the guest does not read, by standing. Portable: compiled by asc and by tsc
// alike.
//
// Standing    "honoured": the front end acts on them, or they are another name of an honoured option.
//             "otherwise": they are accepted, and the documentation says what they mean here. "default only":
//             any other value is refused. Any other heading names the feature that they are about and that
//             this server lacks: they are kept and shown, so that one file serves both servers, and have no
//             effect. tests/redis/document.test.ts compares these lists with docs/redis.md, so that each
//             option has a standing.
// Format      name kind default [min max | words separated by commas]. Behind the kind, ! is "at the start
//             only", ^ "raised to the least instead of refused" and = "no value but the first". = names the
//             original of an alias.

export const OPTION_TABLE: string = `
# honoured
hash-max-ziplist-entries = hash-max-listpack-entries
hash-max-ziplist-value = hash-max-listpack-value
min-slaves-max-lag = min-replicas-max-lag
min-slaves-to-write = min-replicas-to-write
always-show-logo bool! no
pidfile string! ""
set-proc-title bool! yes
tcp-backlog int! 511 0 2147483647
# otherwise
crash-log-enabled bool yes
crash-memcheck-enabled bool yes
daemonize bool!= no
disable-thp bool! yes
supervised enum! no upstart,systemd,auto,no
sanitize-dump-payload enum no no,yes,clients
# default only
aclfile empty! ""
activedefrag bool= no
appendonly bool= no
bgsave_cpulist empty! ""
cluster-enabled bool!= no
notify-keyspace-events empty ""
oom-score-adj enum= no no,yes,relative,absolute
replicaof empty! ""
server_cpulist empty! ""
slaveof = replicaof
socket-mark-id int! 0 0 0
syslog-enabled bool!= no
tls-port int! 0 0 0
# access lists of users and channels
acl-pubsub-default enum! resetchannels allchannels,resetchannels
acllog-max-len int 128 0 9223372036854775807
# defragmentation
active-defrag-cycle-max int 25 1 99
active-defrag-cycle-min int 1 1 99
active-defrag-ignore-bytes bytes 104857600 1 9223372036854775807
active-defrag-max-scan-fields int 1000 1 9223372036854775807
active-defrag-threshold-lower int 10 0 1000
active-defrag-threshold-upper int 100 0 1000
jemalloc-bg-thread bool yes
# the append-only file
aof-disable-auto-gc bool no
aof-load-truncated bool yes
aof-rewrite-incremental-fsync bool yes
aof-timestamp-enabled bool no
aof-use-rdb-preamble bool yes
aof_rewrite_cpulist string! ""
appenddirname string! appendonlydir
appendfilename string! appendonly.aof
appendfsync enum everysec everysec,always,no
auto-aof-rewrite-min-size bytes 67108864 0 9223372036854775807
auto-aof-rewrite-percentage int 100 0 2147483647
no-appendfsync-on-rewrite bool no
# tracking of keys by clients
tracking-table-max-keys int 1000000 0 9223372036854775807
# lists, sets, sorted sets, streams and HyperLogLogs
hll-sparse-max-bytes bytes 3000 0 9223372036854775807
list-compress-depth int 0 0 2147483647
list-max-listpack-size int -2 -2147483648 2147483647
list-max-ziplist-size = list-max-listpack-size
set-max-intset-entries int 512 0 9223372036854775807
stream-node-max-bytes bytes 4096 0 9223372036854775807
stream-node-max-entries int 100 0 9223372036854775807
zset-max-listpack-entries int 128 0 9223372036854775807
zset-max-ziplist-entries = zset-max-listpack-entries
zset-max-listpack-value bytes 64 0 9223372036854775807
zset-max-ziplist-value = zset-max-listpack-value
# modules
enable-module-command enum! no no,yes,local
# out-of-memory scores
oom-score-adj-values string "0 200 800"
# replicas
bind-source-addr string ""
masterauth string ""
masteruser string ""
propagation-error-behavior enum ignore ignore,panic,panic-on-replicas
rdb-del-sync-files bool no
repl-backlog-size bytes^ 1048576 16384 9223372036854775807
repl-backlog-ttl int 3600 0 9223372036854775807
repl-disable-tcp-nodelay bool no
repl-diskless-load enum disabled disabled,on-empty-db,swapdb
repl-diskless-sync bool yes
repl-diskless-sync-delay int 5 0 2147483647
repl-diskless-sync-max-replicas int 0 0 2147483647
repl-ping-replica-period int 10 1 2147483647
repl-ping-slave-period = repl-ping-replica-period
repl-timeout int 60 1 2147483647
replica-announce-ip string ""
slave-announce-ip = replica-announce-ip
replica-announce-port int 0 0 65535
slave-announce-port = replica-announce-port
replica-announced bool yes
replica-ignore-disk-write-errors bool no
replica-ignore-maxmemory bool yes
slave-ignore-maxmemory = replica-ignore-maxmemory
replica-lazy-flush bool no
slave-lazy-flush = replica-lazy-flush
replica-priority int 100 0 2147483647
slave-priority = replica-priority
replica-read-only bool yes
slave-read-only = replica-read-only
replica-serve-stale-data bool yes
slave-serve-stale-data = replica-serve-stale-data
shutdown-timeout int 10 0 2147483647
# scripts
busy-reply-threshold int 5000 0 9223372036854775807
lua-time-limit = busy-reply-threshold
# checks of the machine at the start
ignore-warnings string ""
# syslog
syslog-facility string! local0
syslog-ident string! redis
# threads for input, output and background work
bio_cpulist string! ""
io-threads int! 1 1 128
io-threads-do-reads bool! no
`;
