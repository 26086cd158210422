# Perl's Cache::Memcached: the client that memcached itself was written for. Text protocol.
# Prints TAP lines, as tap.ts does for the clients in TypeScript.

use strict;
use warnings;
use utf8;
use Cache::Memcached;
use Encode qw(encode_utf8);
use Storable qw(freeze);
use Time::HiRes qw(sleep);

# After so many seconds an item of two seconds is gone; see samples.ts.
use constant TWO_SECONDS_GONE => 2.6;

$| = 1;
my ($host, $port) = @ARGV;
my $server = "$host:$port";
my $client = Cache::Memcached->new({ servers => [$server], connect_timeout => 5, select_timeout => 10 });
my $unicode = encode_utf8("ключ-日本語-🙂");
my ($count, $failed, $group) = (0, 0, "");

# The prototypes keep a match that fails from vanishing: in a list it would be no argument at all.
sub ok($$;$) {
    my ($name, $claim, $detail) = @_;
    $count++;
    $failed++ unless $claim;
    print(($claim ? "ok" : "not ok"), " $count - $group: $name\n");
    print "#   $detail\n" if !$claim && defined $detail;
}

sub show {
    my ($value) = @_;
    return "undef" unless defined $value;
    my $text = substr($value, 0, 200);
    $text =~ s/([^\x20-\x7e])/sprintf("\\x%02x", ord($1))/ge;
    return "'$text'";
}

sub equal($$$) {
    my ($name, $got, $expected) = @_;
    my $same = defined $got && defined $expected ? $got eq $expected : !defined $got && !defined $expected;
    ok($name, $same, "got " . show($got) . ", expected " . show($expected));
}

# Two structures are equal when they freeze to the same bytes.
sub same($$$) {
    my ($name, $got, $expected) = @_;
    local $Storable::canonical = 1;
    ok($name, ref $got && freeze($got) eq freeze($expected), "got " . show($got));
}

sub group {
    my ($name, $tests) = @_;
    $group = $name;
    eval { $tests->(); 1 } or ok("runs to its end", 0, $@);
}

group("get and set", sub {
    equal("get of an unknown key", $client->get("pl:none"), undef);
    ok("set", $client->set("pl:a", "one"));
    equal("get", $client->get("pl:a"), "one");
    $client->set("pl:a", "two");
    equal("get sees the new value", $client->get("pl:a"), "two");
    my %values = (
        "empty value"         => "",
        "every byte"          => join("", map { chr } 0 .. 255),
        "protocol in a value" => "\r\nEND\r\nVALUE x 0 1\r\nSTORED\r\n\0\r\n",
        "unicode text"        => $unicode x 50,
    );
    for my $name (sort keys %values) {
        $client->set("pl:v", $values{$name});
        equal($name, $client->get("pl:v"), $values{$name});
    }
});

group("types by flags", sub {
    my $structure = { list => [1, "two", undef], nested => { deep => [] } };
    $client->set("pl:s", $structure);
    same("a structure by Storable", $client->get("pl:s"), $structure);
    my $packed = Cache::Memcached->new({ servers => [$server], compress_threshold => 1000 });
    my $text = "to be compressed " x 200_000;
    ok("text of 3 MB is refused", !$client->set("pl:gz", $text));
    ok("and fits compressed", $packed->set("pl:gz", $text));
    ok("and comes back", ($packed->get("pl:gz") // "") eq $text);
});

group("add and replace", sub {
    ok("replace of a missing key", !$client->replace("pl:ar", "x"));
    ok("add of a missing key", $client->add("pl:ar", "first"));
    ok("add of a present key", !$client->add("pl:ar", "x"));
    equal("refused add changes nothing", $client->get("pl:ar"), "first");
    ok("replace of a present key", $client->replace("pl:ar", "second"));
    equal("get sees the replacement", $client->get("pl:ar"), "second");
});

group("append and prepend", sub {
    ok("append to a missing key", !$client->append("pl:ap", "x"));
    ok("prepend to a missing key", !$client->prepend("pl:ap", "x"));
    $client->set("pl:ap", "middle");
    ok("append", $client->append("pl:ap", ">"));
    ok("prepend", $client->prepend("pl:ap", "<"));
    equal("get sees both", $client->get("pl:ap"), "<middle>");
});

group("incr and decr", sub {
    equal("incr of a missing key", $client->incr("pl:none"), undef);
    equal("decr of a missing key", $client->decr("pl:none"), undef);
    $client->set("pl:n", 10);
    equal("incr by one", $client->incr("pl:n"), 11);
    equal("incr", $client->incr("pl:n", 4), 15);
    equal("decr", $client->decr("pl:n", 5), 10);
    $client->decr("pl:n", 1);
    ok("get sees the sum", ($client->get("pl:n") // 0) == 9);
    equal("decr stops at 0", $client->decr("pl:n", 1000), 0);
    $client->set("pl:n", "word");
    equal("incr of a word", $client->incr("pl:n"), undef);
});

group("delete", sub {
    $client->set("pl:d", "x");
    ok("delete", $client->delete("pl:d"));
    equal("get after delete", $client->get("pl:d"), undef);
    ok("delete again", !$client->delete("pl:d"));
    $client->set("pl:d", "x");
    ok("delete with a time is refused", !$client->delete("pl:d", 10));
    equal("and deletes nothing", $client->get("pl:d"), "x");
    ok("remove", $client->remove("pl:d"));
});

group("expiry", sub {
    $client->set("pl:brief", "x", 2);
    $client->set("pl:long", "x", 100);
    $client->set("pl:date", "x", time() + 100);
    $client->set("pl:past", "x", time() - 100);
    $client->set("pl:negative", "x", -1);
    equal("a date long past", $client->get("pl:past"), undef);
    equal("a negative time has passed at once", $client->get("pl:negative"), undef);
    equal("two seconds are not over at once", $client->get("pl:brief"), "x");
    sleep(TWO_SECONDS_GONE);
    equal("two seconds are over", $client->get("pl:brief"), undef);
    equal("a hundred are not", $client->get("pl:long"), "x");
    equal("nor is a date to come", $client->get("pl:date"), "x");
});

group("get_multi", sub {
    my %values = map { ("pl:m$_" => "v$_") } 1 .. 500;
    $client->set($_, $values{$_}) for keys %values;
    same("500 keys", scalar $client->get_multi(keys %values), \%values);
    my $mixed = $client->get_multi("pl:m1", "pl:none", "pl:m2");
    same("leaves out unknown keys", $mixed, { "pl:m1" => "v1", "pl:m2" => "v2" });
    same("of unknown keys only", $client->get_multi("pl:none", "pl:no"), {});
});

group("keys", sub {
    $client->set($unicode, "unicode key");
    equal("unicode key", $client->get($unicode), "unicode key");
    $client->set("k" x 250, "longest");
    equal("key of 250 bytes", $client->get("k" x 250), "longest");
    ok("key of 251 bytes is refused", !$client->set("k" x 251, "x"));
    equal("and its value is swallowed", $client->get("k" x 250), "longest");
    my $spaced = Cache::Memcached->new({ servers => [$server], namespace => "pl-ns:" });
    $spaced->set("x", "in the namespace");
    equal("namespace goes before the key", $client->get("pl-ns:x"), "in the namespace");
    equal("hash value and key", $client->get([7, "pl-ns:x"]), "in the namespace");
});

group("large values", sub {
    my $large = join("", map { sprintf("%09d|", $_) } 0 .. 49_999);
    ok("set of 500 KB", $client->set("pl:large", $large));
    ok("get of 500 KB", ($client->get("pl:large") // "") eq $large);
    ok("set of 1 MiB is refused", !$client->set("pl:large", "x" x (1024 * 1024)));
    equal("and removes the old value", $client->get("pl:large"), undef);
});

group("in parallel", sub {
    $client->set("pl:count", 0);
    $client->disconnect_all;
    my @children;
    for my $worker (1 .. 4) {
        my $pid = fork();
        die "cannot fork: $!" unless defined $pid;
        if ($pid == 0) {
            my $own = Cache::Memcached->new({ servers => [$server] });
            $own->incr("pl:count") for 1 .. 250;
            require POSIX;
            POSIX::_exit(0);
        }
        push @children, $pid;
    }
    waitpid($_, 0) for @children;
    equal("4 processes make 1000 incrs of one key", $client->get("pl:count"), 1000);
});

group("server", sub {
    my $stats = $client->stats("misc")->{hosts}{$server}{misc};
    ok("stats tell a version", ($stats->{version} // "") =~ /^\d+\.\d+\.\d+/, show($stats->{version}));
    ok("stats counts gets", ($stats->{cmd_get} // 0) > 500, show($stats->{cmd_get}));
    my $settings = $client->stats("settings")->{hosts}{$server}{settings} // "";
    ok("stats settings", $settings =~ /^STAT tcpport $port\r?$/m, show($settings));
    my $slabs = $client->stats("slabs")->{hosts}{$server}{slabs} // "";
    ok("stats slabs", $slabs =~ /^STAT active_slabs [1-9]/m, show($slabs));
    my $items = $client->stats("items")->{hosts}{$server}{items} // "";
    ok("stats items", $items =~ /^STAT items:\d+:number [1-9]/m, show($items));
    my $sizes = $client->stats("sizes")->{hosts}{$server}{sizes};
    equal("stats sizes", $sizes->{sizes_status}, "disabled");
});

group("flush", sub {
    $client->set("pl:f", "x");
    ok("flush_all", $client->flush_all);
    equal("get after it", $client->get("pl:f"), undef);
    ok("set after it", $client->set("pl:f", "y"));
    equal("get of that", $client->get("pl:f"), "y");
});

print "1..$count\n";
exit($failed ? 1 : 0);
