import Foundation
import Resources
import TestKit
import Testing

@Suite("Control groups")
struct ControlGroupsTests {
    /// A `/proc` and `/sys` as a kernel would show them.
    struct System: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var membership: String
        var mounts: String
        var files: [String: String]
        var processors: Double?
        var processes: ControlGroups.Share?
        var memory: ControlGroups.Share?
    }

    private static let unified =
        "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let separate = """
        40 32 0:33 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
        41 32 0:34 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
        42 32 0:35 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids

        """

    static let systems = [
        System(testDescription: "no groups at all", membership: "", mounts: "", files: [:]),
        System(
            testDescription: "a group without limits", membership: "0::/user\n", mounts: unified,
            files: [
                "user/cpu.max": "max 100000\n", "user/pids.max": "max\n",
                "user/pids.current": "3\n", "user/memory.max": "max\n",
                "user/memory.current": "900\n",
            ]),
        System(
            testDescription: "the narrowest of nested groups counts", membership: "0::/a/b\n",
            mounts: unified,
            files: [
                "a/cpu.max": "150000 100000\n", "a/b/cpu.max": "400000 100000\n",
                "a/pids.max": "20\n", "a/pids.current": "19\n", "a/b/pids.max": "10\n",
                "a/b/pids.current": "2\n", "memory.max": "1000\n", "memory.current": "700\n",
                "memory.stat": "anon 500\nfile 200\nfile_mapped 100\n",
            ],
            processors: 1.5, processes: .init(limit: 20, left: 1),
            memory: .init(limit: 1000, left: 500)),
        System(
            testDescription: "a namespace that shows its own group as the root",
            membership: "0::/\n", mounts: unified, files: ["cpu.max": "50000 100000\n"],
            processors: 0.5),
        System(
            testDescription: "a group outside what the namespace shows",
            membership: "0::/../../other\n", mounts: unified,
            files: ["pids.max": "9\n", "pids.current": "4"],
            processes: .init(limit: 9, left: 5)),
        System(
            testDescription: "version 1, seen from within a container",
            membership: "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n2:pids:/docker/abc\n",
            mounts: separate,
            files: [
                "cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
                "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
                "memory/memory.limit_in_bytes": "5000\n", "memory/memory.usage_in_bytes": "4000\n",
                "memory/memory.stat": "cache 1\ntotal_cache 1500\n",
                "pids/docker/abc/pids.max": "64\n", "pids/docker/abc/pids.current": "70\n",
            ],
            processors: 2, processes: .init(limit: 64, left: 0),
            memory: .init(limit: 5000, left: 2500)),
        System(
            testDescription: "version 1 without limits",
            membership: "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n", mounts: separate,
            files: [
                "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/memory.usage_in_bytes": "4000\n",
            ]),
        System(
            testDescription: "files that hold nonsense", membership: "0::/a\n:::\nx\n",
            mounts: unified + "half a line\n",
            files: ["a/cpu.max": "many few\n", "a/pids.max": "\n", "cpu.max": "0 0\n"]),
    ]

    @Test("The limits of both versions are read from the innermost group out", arguments: systems)
    func limits(_ system: System) throws {
        let folder = try TemporaryFolder()
        var files = ["/proc/self/cgroup": system.membership, "/proc/self/mountinfo": system.mounts]
        for (name, text) in system.files { files["/sys/fs/cgroup/" + name] = text }
        for (name, text) in files {
            let path = folder.path + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try text.write(toFile: path, atomically: false, encoding: .utf8)
        }
        let groups = ControlGroups(root: folder.path)
        #expect(groups.processors == system.processors)
        #expect(groups.processes == system.processes)
        #expect(groups.memory == system.memory)
    }

    @Test(
        "Threads are as many as the mask allows and the quota pays for",
        arguments: [
            (8, 8, nil, 8, Processors.Bound.machine), (8, 1, nil, 1, .affinity),
            (8, 4, 2.0, 2, .quota(2)), (8, 2, 4.0, 2, .affinity), (128, 128, 1.5, 2, .quota(1.5)),
            (4, 4, 0.2, 1, .quota(0.2)), (4, 0, nil, 4, .machine), (4, 4, 64.0, 4, .machine),
        ] as [(Int, Int, Double?, Int, Processors.Bound)])
    func processors(
        online: Int, allowed: Int, quota: Double?, count: Int, bound: Processors.Bound
    ) {
        let processors = Processors(online: online, allowed: allowed, quota: quota)
        #expect(processors.count == count)
        #expect(processors.bound == bound)
    }

    @Test("Descriptors, threads and memory that can't be had are refused with their limit")
    func refusals() {
        #expect(throws: ResourceError.self) { try requireDescriptors(1 << 30) }
        #expect(throws: ResourceError.self) { try requireMemory(bytes: 1 << 60) }
        #expect(throws: Never.self) { try requireThreads(3) }
        #expect(throws: Never.self) { try requireMemory(bytes: 1 << 20) }
    }
}
