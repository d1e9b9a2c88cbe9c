import Foundation
import TestKit
import Testing
import Wire

extension ClusterTests {
    /// What leads to each exit code, by the words of the documentation's page.
    @Suite("Exit codes")
    struct ExitCodes {
        let cluster: Cluster

        init() throws {
            cluster = try Cluster()
            try cluster.folder.write(TrainedRun.text, to: "pairs.tsv")
        }

        /// How a cause is brought about; what it is called ends with the process's exit code.
        enum Provocation: Sendable {
            /// Typed in a shell; the last command's code counts.
            case typed(String)
            case done(@Sendable (Cluster) throws -> Int32)
        }

        static let toy = """
            dtrain train --corpus pairs.tsv --validation pairs.tsv --vocabulary 48 --d-model 32 \
            --layers 1 --heads 2 --d-ff 64 --batch-tokens 200 --validate-every 0 --threads 1
            """
        private static let trained = "\(toy) --run a --steps 2 --quiet"
        /// Runs that the first version of the arithmetic computed.
        private static let firstFolders = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Folders/first").path
        private static let model = "a/checkpoints/step-000002/model.safetensors"

        static let provocations: [String: Provocation] = [
            "what was asked for is done": .typed(trained),
            "a first Ctrl-C, SIGTERM or SIGHUP: a checkpoint is saved, --resume goes on":
                .done { try ended($0) { $0.interrupt() } },
            "the reader of standard output has gone, as in 'dtrain translate | head'":
                .typed("\(trained); dtrain inspect a | true; exit ${PIPESTATUS[0]}"),
            "a worker is not let in: wrong token, or --insecure on one side only":
                .done { cluster in
                    let coordinator = try cluster.coordinator("--workers 1 --steps 60")
                    let address = try coordinator.address
                    _ = try cluster.finish("token rotate --run other")
                    let worker = "worker --connect \(address) --wait 20s"
                    let codes = try ["--token-file other/token", "--insecure"].map {
                        try cluster.finish("\(worker) \($0)").waitForEnd()
                    }
                    return codes[0] == codes[1] ? codes[0] : -1
                },
            "a worker of an older or newer version, or with other arithmetic, is refused":
                .done { cluster in
                    let coordinator = try StrangeCoordinator()
                    let worker = try cluster.start(
                        "worker --insecure --connect \(coordinator.address)", as: "worker")
                    let refusal = Refusal.version(theirs: "dtrain 0.1.0", ours: "dtrain 9")
                    try coordinator.answer(with: CoordinatorMessage.refused(refusal).encoded)
                    return try worker.waitForEnd()
                },
            "a loss or gradient is not finite and --on-nan is stop":
                .typed("\(toy) --run a --steps 5 --learning-rate 1e30"),
            "with --on-nan skip, 100 steps in a row were skipped, or a run's first or last 20":
                .typed("\(toy) --run a --steps 40 --learning-rate 1e30 --on-nan skip"),
            "parameters that are not finite were to be saved":
                .typed(
                    """
                    \(toy) --run a --steps 1 --learning-rate 3e38 --warmup 1 --weight-decay 1e9 \
                    --on-nan skip
                    """),
            "'dtrain simulate' has found a violation, or missed a rare branch, or the mistake of --canary":
                .typed("dtrain simulate --seeds 1..1 --canary counts-stale-frames"),
            "'dtrain doctor' has found something bad":
                .done { cluster in
                    let coordinator = try cluster.coordinator("--workers 1 --steps 60")
                    let address = try coordinator.address
                    return try cluster.finish("doctor --connect \(address) --insecure")
                        .waitForEnd()
                },
            "'dtrain diff' has found a difference that numbers depend on":
                .typed(
                    """
                    \(trained); \(toy) --run b --steps 2 --quiet --seed 9; dtrain diff a a && \
                    dtrain diff a b
                    """),
            "an unknown command or option, or a value out of its range":
                .typed("dtrain trian; test $? = 64 && dtrain train --shards 0"),
            "options that exclude each other, or say nothing beside the others":
                .typed("\(toy) --source a --target b; test $? = 64 && \(toy) --text pairs.tsv"),
            "a --config file with a mistake in it":
                .typed("echo 'sede: 1' > c.yaml; dtrain train --config c.yaml"),
            "on --resume, another value of a setting that changes the numbers":
                .typed("\(trained); dtrain train --resume --run a --seed 9"),
            "a run folder that is not empty, holds no run, or is in use":
                .typed("\(trained); \(trained); test $? = 64 && dtrain inspect nowhere"),
            "a text that cannot be learned from or translated":
                .typed("echo 'no tab' > pairs.tsv; \(trained)"),
            "translations and references of different numbers of lines":
                .typed("echo a > one; dtrain score one pairs.tsv"),
            "a file of a run that is damaged and cannot do without":
                .typed("\(trained); truncate -s -1 \(model); dtrain inspect \(model.folder)"),
            "a run's folder or checkpoint that a newer version wrote":
                .typed(
                    """
                    \(trained); sed -i 's/format [0-9]*/format 99/' a/configuration.yaml; \
                    dtrain train --resume --run a --steps 3
                    """),
            "--resume or verify of a run that another version of the arithmetic has computed":
                .typed(
                    """
                    cp -r "\(firstFolders)/pairs-killed" a; dtrain verify a; test $? = 65 && \
                    dtrain train --resume --run a --steps 100
                    """),
            "on --resume, another text or tokenizer than the run began with":
                .typed(
                    """
                    \(trained); sed -i 's/cat/cow/' pairs.tsv; \
                    dtrain train --resume --run a --steps 3
                    """),
            "'dtrain verify' has found a difference":
                .typed(
                    """
                    \(trained); sed -i 's/batch-tokens: .*/batch-tokens: 100/' \
                    a/configuration.yaml; dtrain verify a
                    """),
            "no coordinator answers, or another service listens at its address":
                .typed("dtrain status --connect tcp://127.0.0.1:9 --insecure"),
            "the system refuses memory, a thread, a descriptor or a process":
                .typed("\(trained); ulimit -n 8; dtrain train --resume --run a --steps 3"),
            "a file cannot be read or written, or the disk is full":
                .typed("dtrain train --corpus absent.tsv"),
            "a port is in use":
                .done { cluster in
                    let taken = try StrangeCoordinator()
                    return try cluster.coordinator("--steps 2", bind: taken.address).waitForEnd()
                },
            "a second Ctrl-C: ended at once, the last checkpoint remains":
                .done { cluster in
                    try ended(cluster) { train in
                        // Workers that stand still cannot deliver what the first asks for.
                        for worker in train.joined { cluster.send(SIGSTOP, to: worker) }
                        train.interrupt()
                        try train.waitFor("stopping after step")
                        train.interrupt()
                    }
                },
            "SIGQUIT: ended at once, without a core file":
                .done { cluster in
                    try ended(cluster) { cluster.send(SIGQUIT, to: $0.processID) }
                },
        ]

        /// The end of a run that `signal` meets in its third step or later.
        private static func ended(
            _ cluster: Cluster, by signal: (RunningProgram) throws -> Void
        ) throws -> Int32 {
            let train = try cluster.train("--workers 1 --threads 1 --steps 1000000")
            try train.waitFor(step: 3)
            try signal(train)
            return try train.waitForEnd()
        }

        /// A row of the page.
        struct Row: Sendable, CustomTestStringConvertible {
            let code: Int32
            let cause: String
            var testDescription: String { "\(code): \(cause)" }
        }

        static let page: [Row] = {
            let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../Sources/dtrain/dtrain.docc/ExitCodes.md")
            let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
            return text.matches(of: /(?m)^\| (\d+) \| (.*) \|$/).map {
                Row(code: Int32($0.output.1) ?? -1, cause: String($0.output.2))
            }
        }()

        @Test func `every cause of the page can be provoked, and no other is`() {
            #expect(Self.page.count > 20)
            #expect(Set(Self.page.map(\.cause)) == Set(Self.provocations.keys))
        }

        @Test(arguments: page)
        func `a cause leads to its code, and one that fails is told in a sentence`(row: Row) throws
        {
            switch try #require(Self.provocations[row.cause]) {
            case .typed(let line):
                let shell = try cluster.shell(line)
                #expect(try shell.waitForEnd() == row.code, "\(shell.account)")
                if row.code != 0 {
                    let last = shell.errors.last ?? ""
                    #expect(last.hasPrefix("dtrain: "), "\(shell.account)")
                }
            case .done(let provoke): #expect(try provoke(cluster) == row.code)
            }
        }
    }
}

extension String {
    /// Of a path.
    fileprivate var folder: String {
        split(separator: "/").dropLast().joined(separator: "/")
    }
}
