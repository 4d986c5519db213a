// The number types of AssemblyScript, for the files of assembly/abi that both compilers read.
declare type u8 = number;
declare type u32 = number;
declare type i32 = number;
declare type usize = number;
declare type f64 = number;
