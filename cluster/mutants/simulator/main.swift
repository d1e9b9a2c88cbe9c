// What `dtrain simulate --seeds N` does, until the first seed that fails: prints how many ended well
// before it, and what it found. Each line is written at once: the process may die after it.
import Foundation
import Simulation

func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let seeds = CommandLine.arguments.count > 1 ? UInt64(CommandLine.arguments[1]) ?? 1 : 1
for seed in 1...max(1, seeds) {
    if seed % 10 == 0 { say("seed \(seed)") }
    if let violation = Simulator.run(seed: seed).violation {
        say("found \(seed) \(violation)")
        break
    }
}
