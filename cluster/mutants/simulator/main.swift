// What `dtrain simulate --seeds N` does, until the first seed that fails: prints how many ended well
// before it, and what it found.
import Foundation
import Simulation

setvbuf(stdout, nil, _IOLBF, 0)
let seeds = CommandLine.arguments.count > 1 ? UInt64(CommandLine.arguments[1]) ?? 1 : 1
for seed in 1...max(1, seeds) {
    if seed % 10 == 0 { print("seed \(seed)") }
    if let violation = Simulator.run(seed: seed).violation {
        print("found \(seed) \(violation)")
        break
    }
}
