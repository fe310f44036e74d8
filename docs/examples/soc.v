// A design around an exported interface: spillway export verilog --lrs 8 --bus axi4lite --name vgic -o vgic.v
// What a processor would do is a table of reads and writes here: list an interrupt, acknowledge it, end it.
module soc (
    input clk,
    input rst,
    output virq,
    output maintenance,
    output reg done
);
  localparam READ = 1'b0, WRITE = 1'b1;
  localparam LAST = 7;

  reg reading, addressing, writing;
  reg [18:0] address;
  reg [31:0] operand;
  reg [2:0] step;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  vgic u_vgic (
      .clk(clk),
      .rst(rst),
      .pe0__awvalid(addressing),
      .pe0__awready(awready),
      .pe0__awaddr(address),
      .pe0__awprot(3'd0),
      .pe0__wvalid(writing),
      .pe0__wready(wready),
      .pe0__wdata(operand),
      .pe0__wstrb(4'hf),
      .pe0__bvalid(bvalid),
      .pe0__bready(1'b1),
      .pe0__bresp(bresp),
      .pe0__arvalid(reading),
      .pe0__arready(arready),
      .pe0__araddr(address),
      .pe0__arprot(3'd0),
      .pe0__rvalid(rvalid),
      .pe0__rready(1'b1),
      .pe0__rdata(rdata),
      .pe0__rresp(rresp),
      .pe0__virq(virq),
      .pe0__vfiq(),
      .pe0__maintenance(maintenance),
      .pe0__deactivate__payload(),
      .pe0__deactivate__valid(),
      .pe0__deactivate__ready(1'b1)
  );

  // Write or read, address in the window (EL << 17 | encoding[13:0] << 3), value.
  reg [51:0] program[0:LAST];
  initial begin
    program[0] = {WRITE, 19'h532f8, 32'hf8000002};  // ICH_VMCR_EL2: VPMR, VENG1
    program[1] = {WRITE, 19'h0000c, 32'h50200000};  // HIGH of the next write: pending, Group 1, priority 0x20
    program[2] = {WRITE, 19'h53308, 32'd40};        // ICH_LR1_EL2: vINTID 40
    program[3] = {WRITE, 19'h532c0, 32'd1};         // ICH_HCR_EL2: En
    program[4] = {READ, 19'h23300, 32'd0};          // ICC_IAR1_EL1
    program[5] = {WRITE, 19'h23308, 32'd40};        // ICC_EOIR1_EL1
    program[6] = {READ, 19'h53308, 32'd0};          // ICH_LR1_EL2: invalid again
    program[7] = {READ, 19'h0000c, 32'd0};          // HIGH: its bits 63:32
  end

  reg waiting;
  always @(posedge clk)
    if (rst) begin
      {reading, addressing, writing, waiting, done} <= 5'd0;
      step <= 3'd0;
    end else if (waiting) begin
      if (awready) addressing <= 1'b0;
      if (wready) writing <= 1'b0;
      if (arready) reading <= 1'b0;
      if (bvalid || rvalid) begin
        if (bvalid) $display("write %h %h response %0d vIRQ %b", address, operand, bresp, virq);
        else $display("read  %h %h response %0d vIRQ %b", address, rdata, rresp, virq);
        waiting <= 1'b0;
        step <= step + 3'd1;
        done <= step == LAST;
      end
    end else if (!done) begin
      {addressing, address, operand} <= program[step];
      writing <= program[step][51];
      reading <= !program[step][51];
      waiting <= 1'b1;
    end
endmodule

module soc_tb;
  reg clk, rst;
  wire virq, maintenance, done;

  soc dut (
      .clk(clk),
      .rst(rst),
      .virq(virq),
      .maintenance(maintenance),
      .done(done)
  );

  always #5 clk = ~clk;
  initial begin
    $dumpfile("soc.vcd");
    $dumpvars(0, soc_tb);
    clk = 1'b0;
    rst = 1'b1;
    repeat (4) @(negedge clk);
    rst = 1'b0;
    wait (done);
    $finish;
  end
endmodule
