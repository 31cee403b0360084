/// The version of the programs.
package enum ProductVersion {
    package static let current = "0.1.0"
}
